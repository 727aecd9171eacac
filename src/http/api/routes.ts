import { AUDIT_ROUTES } from "./audit_routes.ts";
import { CATALOG_ROUTES } from "./catalog_routes.ts";
import { KEY_ROUTES } from "./key_routes.ts";
import { POLICY_ROUTES } from "./policy_routes.ts";
import { PROGRAM_ROUTES } from "./program_routes.ts";
import { SERVICE_ROUTES } from "./service_routes.ts";
import { USAGE_ROUTES } from "./usage_routes.ts";

/** Every route under `/api/v1`. The order does not matter. */
export const ROUTES = [
  ...PROGRAM_ROUTES,
  ...CATALOG_ROUTES,
  ...AUDIT_ROUTES,
  ...USAGE_ROUTES,
  ...KEY_ROUTES,
  ...POLICY_ROUTES,
  ...SERVICE_ROUTES,
] as const;

/** The routes by their keys, for the types of clients. */
export type ApiRoutes = { readonly [One in typeof ROUTES[number] as One["key"]]: One };
