import { type Context, Hono } from "hono";
import type { Principal, Scope } from "../../model/principal.ts";
import { MissingScope } from "../protected_resource.ts";
import type { ApiDeps } from "./api_deps.ts";
import { openapiDocument } from "./openapi_document.ts";
import type { Route } from "./route.ts";
import { splitKey } from "./route_key.ts";
import { ROUTES } from "./routes.ts";

type Authenticate = (request: Request) => Promise<Principal>;

/** Routes under `/api/v1`, for the console, the command line and automation. */
export function apiRoutes(deps: ApiDeps, authenticate: Authenticate): Hono {
  const api = new Hono();
  const admit = async (request: Request, scope: Scope): Promise<Principal> => {
    const principal = await authenticate(request);
    if (principal.scopes.includes(scope)) return principal;
    throw new MissingScope([scope], principal);
  };
  api.get("/openapi.json", (context) => context.json(openapiDocument(deps.version, ROUTES)));
  for (const route of ROUTES.toSorted(plainPathsFirst)) {
    const { method, path } = splitKey(route.key);
    api.on(method, path, async (context: Context) => {
      const request = context.req.raw;
      const principal = await admit(request, route.scope);
      const sent = { request, params: context.req.param(), query: context.req.query() };
      return await route.serve(deps, { principal, ...sent });
    });
  }
  return api;
}

/** The router takes the first match: `/audit/:id` must not hide `/audit/export`. */
function plainPathsFirst({ key: a }: Route, { key: b }: Route): number {
  return Number(a.includes(":")) - Number(b.includes(":"));
}
