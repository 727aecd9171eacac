import { isLoopback } from "../model/loopback.ts";
import {
  hostHeaderValidationResponse,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { problemOf } from "./problem.ts";

const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * Refuses requests whose Host or Origin is not ours. Otherwise a web page could reach the service
 * through a name that the page's owner controls (DNS rebinding).
 *
 * @see MCP 2026-07-28, Streamable HTTP, security warning
 */
export function createHostGuard(
  host: string,
  publicUrl: string | undefined,
): (request: Request) => Response | null {
  // The listening address itself is safe: an attacker cannot make a name out of an address.
  const own = host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host;
  const names = ["localhost", "127.0.0.1", "[::1]", own];
  if (publicUrl !== undefined) names.push(new URL(publicUrl).hostname);
  else if (!isLoopback(host)) {
    // Bound to the network without a public name: only credentials decide about access.
    return (request) => request.headers.has("origin") ? originOfHost(request) : null;
  }
  return (request) => {
    // Probes and scrapers call the machine's address, not its public name.
    if (!isLoopback(host) && isProbe(request)) return null;
    if (hostHeaderValidationResponse(request, names) !== undefined) return refuse(request, "host");
    return originValidationResponse(request, names) === undefined
      ? null
      : refuse(request, "origin");
  };
}

function isProbe(request: Request): boolean {
  return PROBES.has(new URL(request.url).pathname) && !request.headers.has("origin");
}

function originOfHost(request: Request): Response | null {
  const host = request.headers.get("host")?.replace(/:\d+$/, "") ?? "";
  return originValidationResponse(request, [host]) === undefined ? null : refuse(request, "origin");
}

function refuse(request: Request, header: "host" | "origin"): Response {
  const name = JSON.stringify((request.headers.get(header) ?? "").slice(0, 200));
  return problemOf({
    code: "ERR_FORBIDDEN",
    message: `Requests with ${header} ${name} are refused`,
    hint: "Call the address that the service listens on, or put its public one in server.publicUrl",
  });
}
