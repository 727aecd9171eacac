import { type AuthInfo, createMcpHandler, isLegacyRequest } from "@modelcontextprotocol/server";
import type { Log } from "../model/log.ts";
import type { McpCaller } from "./caller.ts";
import { createLegacySessions } from "./legacy_sessions.ts";
import { checkParamHeaders } from "./param_header_check.ts";
import { createMcpServer, type McpServerDeps } from "./mcp_server.ts";
import type { SessionSigner } from "./session_id.ts";

/**
 * Serves MCP over Streamable HTTP: revision 2026-07-28 statelessly, older ones over signed
 * sessions.
 */
export interface McpEndpoint {
  /** @param body the parsed JSON body of a POST; undefined for GET and DELETE. */
  handle(request: Request, caller: McpCaller, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

export interface McpEndpointDeps extends McpServerDeps {
  readonly now: () => number;
  readonly signer: SessionSigner;
  readonly log: Log;
}

export function createMcpEndpoint(deps: McpEndpointDeps): McpEndpoint {
  const onerror = (error: Error) =>
    deps.log("warn", "MCP request failed", { cause: error.message });
  const createServer = () => createMcpServer(deps);
  const handler = createMcpHandler(createServer, { onerror });
  const serve = (request: Request, caller: McpCaller, body: unknown): Promise<Response> =>
    handler.fetch(request, optionsOf(caller, body));
  const sessions = createLegacySessions({
    now: deps.now,
    signer: deps.signer,
    createServer,
    optionsOf,
    fallback: serve,
  });
  return {
    async handle(request, caller, body) {
      if (await isLegacyRequest(request, body)) return await sessions.handle(request, caller, body);
      return await checkParamHeaders(deps.classic, request, caller, body) ??
        await serve(request, caller, body);
    },
    async close() {
      await sessions.close();
      await handler.close();
    },
  };
}

/** Options that pass the caller to the SDK, which attaches it to the request. */
function optionsOf(caller: McpCaller, body: unknown): { authInfo: AuthInfo; parsedBody?: unknown } {
  return {
    authInfo: {
      token: "", // the credential itself stays at the edge
      clientId: caller.principal.client,
      scopes: [...caller.principal.scopes],
      extra: { caller },
    },
    ...(body === undefined ? {} : { parsedBody: body }),
  };
}
