import type { Config } from "../config/schema.ts";
import { GateError, reportError } from "../model/errors.ts";
import { type Principal, SCOPES } from "../model/principal.ts";

const METADATA_PATH = "/.well-known/oauth-protected-resource";

/** The OAuth side of the edge: the issuer of tokens, and what a refused request lacks. */
export interface ProtectedResource {
  /** The metadata document of the resource in the path; null if the path names no resource. */
  metadata(request: Request): Response | null;
  /** The value of `WWW-Authenticate` for a refused request. */
  challenge(request: Request, error: unknown): string;
}

/**
 * @param publicUrl the base URL that clients use.
 * @see RFC 9728, RFC 6750 section 3, MCP 2026-07-28 authorization
 */
export function createProtectedResource(options: {
  readonly auth: Config["auth"];
  readonly publicUrl: (request: Request) => string;
}): ProtectedResource {
  const { auth } = options;
  return {
    metadata(request) {
      const { pathname } = new URL(request.url);
      if (typeof auth === "string" || !pathname.startsWith(METADATA_PATH)) return null;
      const path = pathname.slice(METADATA_PATH.length);
      // Every space name has a document, so that it does not reveal which spaces exist.
      if (path !== "" && !/^\/(mcp|s\/[^/]{1,100}\/mcp)$/.test(path)) return null;
      return Response.json({
        resource: new URL(path, options.publicUrl(request)).href,
        resource_name: "toolgate",
        authorization_servers: [auth.issuer],
        scopes_supported: SCOPES,
        bearer_methods_supported: ["header"],
      }, { headers: { "access-control-allow-origin": "*" } });
    },
    challenge(request, error) {
      const report = reportError(error);
      const parts: string[] = [];
      if (report.code === "ERR_FORBIDDEN") parts.push('error="insufficient_scope"');
      else if (request.headers.has("authorization")) {
        parts.push('error="invalid_token"', `error_description="${quotable(report.message)}"`);
      }
      const scopes = error instanceof MissingScope ? error.scopes : ["search", "execute"];
      parts.push(`scope="${scopes.join(" ")}"`);
      if (typeof auth !== "string") {
        const { pathname } = new URL(request.url);
        const path = /^\/(mcp|s\/[^/]{1,100}\/mcp)$/.test(pathname) ? pathname : "";
        const url = new URL(METADATA_PATH + path, options.publicUrl(request)).href;
        parts.push(`resource_metadata="${url}"`);
      }
      return `Bearer realm="toolgate", ${parts.join(", ")}`;
    },
  };
}

/** The credential is valid but lacks a scope; the challenge names all scopes of the operation. */
export class MissingScope extends GateError {
  readonly scopes: readonly string[];
  readonly principal: Principal;

  constructor(scopes: readonly string[], principal: Principal) {
    super("ERR_FORBIDDEN", `The credential lacks scope "${scopes.join(" ")}"`, {
      hint: `Use a credential with scope "${scopes.join(" ")}"`,
    });
    this.scopes = scopes;
    this.principal = principal;
  }
}

function quotable(text: string): string {
  return text.replaceAll(/["\\\p{Cc}]/gu, "'");
}
