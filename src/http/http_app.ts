import { Hono } from "hono";
import type { Authenticator } from "../auth/authenticate.ts";
import type { McpEndpoint } from "../mcp/mcp_endpoint.ts";
import { GateError, reportError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { type Principal, principalKey } from "../model/principal.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import type { ApiDeps } from "./api/api_deps.ts";
import { apiRoutes } from "./api/serve_routes.ts";
import { refuseForeignPages } from "./origin_guard.ts";
import { problem, problemOf } from "./problem.ts";
import { MissingScope, type ProtectedResource } from "./protected_resource.ts";
import { readJson } from "./read_body.ts";
import { requireJson } from "./require_json.ts";
import type { HttpExchange } from "./server/http_server.ts";
import { RequestRefused } from "./server/request_refused.ts";

/** Maximum of messages in one JSON-RPC batch. */
const BATCH_MAX = 100;

/** Dependencies of the edge, which itself decides only who is calling. */
export interface HttpDeps {
  readonly publicUrl: string | undefined;
  readonly authenticator: Authenticator;
  readonly resource: ProtectedResource;
  readonly mcp: McpEndpoint;
  /** True if the principal may use this space; other spaces look as if they did not exist. */
  readonly canEnter: (principal: Principal, space: string) => boolean;
  /** Called without a valid credential (principal is null), or if a scope is missing. */
  readonly onAuthFailure: (
    failure: {
      readonly path: string;
      readonly error: GateError;
      readonly principal: Principal | null;
    },
  ) => Promise<unknown>;
  readonly readiness: () => Promise<{ readonly ready: boolean; readonly [fact: string]: unknown }>;
  /** Prometheus text: open on loopback, else for a credential with scope `audit`. */
  readonly metrics: {
    readonly needsCredential: boolean;
    readonly contentType: string;
    readonly render: () => string;
  };
  readonly instance: string;
  /** Proves the identity of this service to commands on this machine. */
  readonly prove: (challenge: string) => string | null;
  readonly api: ApiDeps;
  /** Pages below `/console`, with their own log-in. */
  readonly console: (request: Request) => Promise<Response>;
  readonly log: Log;
}

/** The HTTP edge: Request in, Response out. Calls without a port have no exchange. */
export function createHttpApp(
  deps: HttpDeps,
): (request: Request, exchange?: HttpExchange) => Promise<Response> {
  const exchanges = new WeakMap<Request, HttpExchange>();
  const app = httpRoutes(deps, (request) => exchanges.get(request));
  return async (request, exchange) => {
    if (exchange !== undefined) exchanges.set(request, exchange);
    return await app.fetch(request);
  };
}

/** Every route of the service except the console's own pages. */
export function httpRoutes(
  deps: HttpDeps,
  exchangeOf: (request: Request) => HttpExchange | undefined = () => undefined,
): Hono {
  const app = new Hono();
  const authenticate = async (request: Request): Promise<Principal> => {
    const principal = await verify(deps, request);
    exchangeOf(request)?.ownedBy(`principal ${principalKey(principal)}`);
    return principal;
  };
  app.use(async (context, next) => {
    await next();
    context.res.headers.set("x-content-type-options", "nosniff");
  });
  app.use(refuseForeignPages(deps.publicUrl));
  for (const path of ["/mcp", "/s/*", "/api/*"]) app.use(path, requireJson);
  app.get("/healthz", (context) => {
    const challenge = context.req.query("challenge");
    const proof = challenge === undefined ? null : deps.prove(challenge);
    return context.json({
      status: "ok",
      instance: deps.instance,
      ...(proof === null ? {} : { proof }),
    });
  });
  app.get("/readyz", async (context) => {
    const readiness = await deps.readiness();
    return context.json(readiness, readiness.ready ? 200 : 503);
  });
  app.get("/metrics", async (context) => {
    if (deps.metrics.needsCredential) {
      const principal = await authenticate(context.req.raw);
      if (!principal.scopes.includes("audit")) throw new MissingScope(["audit"], principal);
    }
    return context.body(deps.metrics.render(), 200, {
      "content-type": deps.metrics.contentType,
    });
  });
  const mcp = async (request: Request, space: string): Promise<Response> => {
    const principal = await authenticate(request);
    if (!deps.canEnter(principal, space)) throw spaceNotFound(space);
    const body = request.method === "POST" ? await readJson(request) : undefined;
    if (Array.isArray(body) && body.length > BATCH_MAX) return batchTooLarge();
    const needed = scopesNeeded(body);
    if (needed.some((scope) => !principal.scopes.includes(scope))) {
      throw new MissingScope(needed, principal);
    }
    const response = await deps.mcp.handle(request, { principal, space }, body);
    return response.status === 405 ? methodNotAllowed(request, response) : response;
  };
  app.get("/.well-known/*", async (context, next) => {
    return deps.resource.metadata(context.req.raw) ?? await next();
  });
  app.all("/mcp", (context) => mcp(context.req.raw, DEFAULT_SPACE));
  app.all("/s/:space/mcp", (context) => mcp(context.req.raw, context.req.param("space")));
  app.route("/api/v1", apiRoutes(deps.api, authenticate));
  app.get(
    "/connect/:server",
    (context) =>
      context.redirect(`/console/connect/${encodeURIComponent(context.req.param("server"))}`),
  );
  app.get("/connect/:server/callback", (context) => continueHere(context.req.raw));
  app.all("/console", (context) => deps.console(context.req.raw));
  app.all("/console/*", (context) => deps.console(context.req.raw));
  app.get("/", (context) => context.redirect("/console"));
  app.notFound((context) =>
    problemOf({
      code: "ERR_NOT_FOUND",
      message: `There is nothing at ${context.req.method} ${context.req.path.slice(0, 200)}`,
      hint: "MCP is at /mcp, the API at /api/v1, the console at /console",
    })
  );
  app.onError(async (error, context) => {
    if (error instanceof RequestRefused) return problemOf(error.report, error.status);
    if (error instanceof MissingScope) {
      const { principal } = error;
      await deps.onAuthFailure({ path: context.req.path, error, principal });
    }
    const report = reportError(error);
    if (report.code === "ERR_INTERNAL") {
      deps.log("error", "Request failed", { cause: error.stack ?? error.message });
    }
    const response = problem(error);
    if (report.code === "ERR_UNAUTHENTICATED" || report.code === "ERR_FORBIDDEN") {
      response.headers.set("www-authenticate", deps.resource.challenge(context.req.raw, error));
    }
    return response;
  });
  return app;
}

/**
 * The page to which an authorization server returns the browser. Browsers do not send a strict
 * cookie after a navigation from another site, so this page forwards to the page that needs the
 * session.
 */
function continueHere(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  const target = `/console${pathname.replace(/\/callback$/, "/finish")}${search}`;
  const escaped = target.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const html = `<!doctype html><meta charset="utf-8"><title>toolgate</title>` +
    `<meta http-equiv="refresh" content="0;url=${escaped}"><a href="${escaped}">Continue</a>`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    },
  });
}

async function verify(deps: HttpDeps, request: Request): Promise<Principal> {
  const url = new URL(request.url);
  const audience = new URL(url.pathname, deps.publicUrl ?? url.origin).href;
  try {
    return await deps.authenticator.authenticate(bearerOf(request), audience);
  } catch (error) {
    if (error instanceof GateError && error.code === "ERR_UNAUTHENTICATED") {
      await deps.onAuthFailure({ path: url.pathname, error, principal: null });
    }
    throw error;
  }
}

/** The scopes that an MCP message needs: those of its tool; other messages need none. */
function scopesNeeded(body: unknown): readonly string[] {
  const messages = Array.isArray(body) ? body : [body];
  const needed = messages.flatMap((message) => {
    if (message?.method !== "tools/call") return [];
    return [message.params?.name === "search" ? "search" : "execute"];
  });
  return [...new Set(needed)];
}

/** @see RFC 6750, section 2.1 */
function bearerOf(request: Request): string | null {
  const header = request.headers.get("authorization");
  if (header === null) return null;
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1] ?? "";
}

/** Sent before the messages are read one by one. */
function batchTooLarge(): Response {
  const message = `Invalid Request: Batch must not exceed ${BATCH_MAX} messages`;
  return Response.json({ jsonrpc: "2.0", error: { code: -32600, message }, id: null }, {
    status: 400,
  });
}

/** GET and DELETE need a session; a client without one may only POST. */
function methodNotAllowed(request: Request, response: Response): Response {
  const problem = problemOf({
    code: "ERR_BAD_REQUEST",
    message: `${request.method} is not allowed here`,
    hint: "POST one MCP message; GET and DELETE belong to the session of an older client",
  }, 405);
  problem.headers.set("allow", response.headers.get("allow") ?? "POST");
  return problem;
}

function spaceNotFound(space: string): GateError {
  return new GateError("ERR_NOT_FOUND", `Space "${space.slice(0, 100)}" does not exist`, {
    hint: "Use /mcp, or a space that the policy opens to you",
  });
}
