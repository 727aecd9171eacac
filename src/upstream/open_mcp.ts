import { createMcpUpstream } from "./mcp_upstream.ts";
import { httpOpener, type HttpServerConfig } from "./open_http.ts";
import { stdioOpener, type StdioServerConfig } from "./open_stdio.ts";
import { createOutboundFetch } from "./outbound_fetch.ts";
import { createSecretMask } from "./secret_mask.ts";
import type { SharedParts, Upstream, UpstreamContext } from "./upstream.ts";

/** An MCP server that runs as a child process. */
export function openMcpStdio(
  context: UpstreamContext,
  config: StdioServerConfig,
  shared: SharedParts,
): Upstream {
  const mask = createSecretMask();
  return createMcpUpstream(context, {
    open: stdioOpener(context, { config, mask, ...shared }),
    identity: [config.command, ...config.args.map(withoutSecret)].join(" "),
    title: config.title,
    timeoutMs: config.timeoutMs,
    idleStopMs: config.idleStopMs,
    mask,
    credential: Object.keys(config.env).length === 0 ? "none" : "env",
  });
}

/** An MCP server behind a URL. */
export function openMcpHttp(
  context: UpstreamContext,
  config: HttpServerConfig,
  shared: SharedParts,
): Upstream {
  const mask = createSecretMask();
  const outboundFetch = createOutboundFetch({
    responseBytesMax: shared.messageBytesMax,
    headers: async () => {
      const headers: { [name: string]: string } = {};
      for (const [name, text] of Object.entries(config.headers)) {
        headers[name] = await context.resolveSecrets(text);
        mask.add(headers[name]);
      }
      return headers;
    },
  });
  const url = new URL(config.url);
  return createMcpUpstream(context, {
    open: httpOpener(context, { config, fetch: outboundFetch }),
    // Without user, password and query, where keys are sometimes put.
    identity: `${url.origin}${url.pathname}`,
    title: config.title,
    timeoutMs: config.timeoutMs,
    idleStopMs: 0,
    mask,
    credential: Object.keys(config.headers).length === 0 ? "none" : "header",
  });
}

/** An argument such as `--api-key=abc` without its value. References stay: they are not the secret. */
function withoutSecret(argument: string, index: number, all: readonly string[]): string {
  const isSecretName = (text: string) => /^--?[\w-]*(key|token|secret|passw)[\w-]*$/i.test(text);
  const [name, value] = argument.split("=", 2);
  if (name !== undefined && value !== undefined && isSecretName(name)) return `${name}=***`;
  return index > 0 && isSecretName(all[index - 1] ?? "") ? "***" : argument;
}
