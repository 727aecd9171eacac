import { isLoopback } from "../config/exposure.ts";
import {
  hostHeaderValidationResponse,
  originValidationResponse,
} from "@modelcontextprotocol/server";

/**
 * Refuses requests whose Host or Origin is not ours, so that a web page cannot reach the service through a
 * name it controls (DNS rebinding).
 *
 * @see MCP 2026-07-28, Streamable HTTP, security warning
 */
export function createHostGuard(
  host: string,
  publicUrl: string | undefined,
): (request: Request) => Response | null {
  const names = ["localhost", "127.0.0.1", "[::1]"];
  if (publicUrl !== undefined) names.push(new URL(publicUrl).hostname);
  else if (!isLoopback(host)) {
    // Bound to the network without a public name: who may call is decided by credentials alone.
    return (request) => request.headers.has("origin") ? originOfHost(request) : null;
  }
  return (request) =>
    hostHeaderValidationResponse(request, names) ?? originValidationResponse(request, names) ??
      null;
}

function originOfHost(request: Request): Response | null {
  const host = request.headers.get("host")?.replace(/:\d+$/, "") ?? "";
  return originValidationResponse(request, [host]) ?? null;
}
