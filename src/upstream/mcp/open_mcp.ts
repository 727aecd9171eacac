import type { McpServerConfig } from "../../config/upstreams/mcp_servers.ts";
import { authorizedFetch } from "../credentials/authorized_fetch.ts";
import { createCredentials, SERVICE } from "../credentials/credentials.ts";
import type { UserOAuth } from "../credentials/user_oauth.ts";
import { createOutbound } from "../net/outbound_fetch.ts";
import { createSecretMask, isSecretName, maskedLog } from "../secret_mask.ts";
import type { SharedParts, Upstream, UpstreamContext } from "../upstream.ts";
import { createMcpUpstream } from "./mcp_upstream.ts";
import { httpOpener, type HttpServerConfig } from "./open_http.ts";
import { stdioOpener, type StdioServerConfig } from "./open_stdio.ts";

/** Opens an MCP server over stdio or HTTP, as its settings say. */
export function openMcp(
  context: UpstreamContext,
  config: McpServerConfig,
  shared: SharedParts,
): Upstream {
  return "command" in config
    ? openMcpStdio(context, config, shared)
    : openMcpHttp(context, config, shared);
}

/** An MCP server that runs as a child process. */
function openMcpStdio(
  outer: UpstreamContext,
  config: StdioServerConfig,
  shared: SharedParts,
): Upstream {
  const mask = createSecretMask();
  const context = { ...outer, log: maskedLog(outer.log, mask) };
  const open = stdioOpener(context, { config, mask, ...shared });
  return createMcpUpstream(context, {
    open: (_scope, signal, closed) => open(signal, closed),
    scopeOf: () => SERVICE,
    identity: [config.command, ...config.args.map(withoutSecret)].join(" "),
    title: config.title,
    timeoutMs: config.timeoutMs,
    idleStopMs: config.idleStopMs,
    mask,
    credential: Object.keys(config.env).length === 0 ? "none" : "env",
    close: () => Promise.resolve(),
  });
}

/** An MCP server behind a URL. */
function openMcpHttp(
  outer: UpstreamContext,
  config: HttpServerConfig,
  shared: SharedParts,
): Upstream {
  const mask = createSecretMask();
  const context = { ...outer, log: maskedLog(outer.log, mask) };
  const outbound = createOutbound({
    configured: [config.url, ...(config.auth === undefined ? [] : [config.auth.tokenUrl])],
    allowPrivateNetwork: config.allowPrivateNetwork,
    responseBytesMax: shared.messageBytesMax,
    env: context.env,
  });
  const credentials = createCredentials(context, {
    headers: config.headers,
    auth: config.auth,
    outbound: outbound.fetch,
    mask,
    subjectToken: shared.subjectToken,
    userTokens: shared.userTokens,
  });
  const url = new URL(config.url);
  const connect = httpOpener(context, config);
  const upstream = createMcpUpstream(context, {
    open: (scope, signal, closed) =>
      connect(authorizedFetch(outbound.fetch, credentials, scope), signal, closed),
    scopeOf: credentials.scopeOf,
    // Without user, password and query, which may hold keys.
    identity: `${url.origin}${url.pathname}`,
    title: config.title,
    timeoutMs: config.timeoutMs,
    idleStopMs: 0,
    mask,
    credential: credentials.kind,
    close: outbound.close,
  });
  return { ...upstream, user: credentials.user && announcing(credentials.user, upstream.retry) };
}

/** The same, but calls `connected` after a login: the server may have needed it. */
function announcing(user: UserOAuth, connected: () => void): UserOAuth {
  return {
    ...user,
    async finish(callback, principal) {
      await user.finish(callback, principal);
      connected();
    },
  };
}

/** Hides the value of an argument such as `--api-key=abc`. References stay: they are not secret. */
function withoutSecret(argument: string, index: number, all: readonly string[]): string {
  const isSecretOption = (text: string) => /^--?[\w-]+$/.test(text) && isSecretName(text);
  const [name, value] = argument.split("=", 2);
  if (name !== undefined && value !== undefined && isSecretOption(name)) return `${name}=***`;
  return index > 0 && isSecretOption(all[index - 1] ?? "") ? "***" : argument;
}
