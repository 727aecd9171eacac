import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { Principal, Scope } from "../model/principal.ts";
import type { ConsoleDeps } from "./console_deps.ts";
import { type ConsoleEnv, themeOf } from "./console_session.ts";
import { ForbiddenPage } from "./pages/message_page.tsx";
import type { Shell } from "./view/layout.tsx";

/** The dependencies of a route. */
export interface RouteKit {
  readonly deps: ConsoleDeps;
  /** Facts of the request that a page needs. */
  readonly shellOf: (context: Context<ConsoleEnv>) => Shell;
  /** Answers with the 403 page unless the visitor has the scope. */
  readonly needing: (scope: Scope, handler: VisitHandler) => PageHandler;
}

export type PageHandler = (context: Context<ConsoleEnv>) => Promise<Response>;
export type VisitHandler = (
  context: Context<ConsoleEnv>,
  principal: Principal,
) => Response | Promise<Response>;

export function createRouteKit(deps: ConsoleDeps): RouteKit {
  const shellOf = (context: Context<ConsoleEnv>): Shell => {
    const { pathname, search } = new URL(context.req.url);
    return {
      visit: context.get("visit") ?? null,
      theme: themeOf(context),
      version: deps.version,
      here: context.req.method === "GET" ? pathname + search : pathname,
    };
  };
  return {
    deps,
    shellOf,
    needing: (scope, handler) => async (context) => {
      const { principal } = context.get("visit");
      if (principal.scopes.includes(scope)) return await handler(context, principal);
      return await page(context, <ForbiddenPage shell={shellOf(context)} scope={scope} />, 403);
    },
  };
}

/** A whole page as a response. Only this function turns elements into a document. */
export async function page(context: Context, element: Child, status = 200): Promise<Response> {
  const html = await renderFragment(element);
  return context.html(`<!doctype html>${html}`, status as 200);
}

/** A part of a page, for htmx. */
export async function fragment(context: Context, element: Child): Promise<Response> {
  return context.html(await renderFragment(element));
}

/** Elements as escaped HTML. */
export async function renderFragment(element: Child): Promise<string> {
  return String(await element);
}

/** Reads fields of a form; a missing field or a file is an empty text. */
export async function readForm(context: Context): Promise<(name: string) => string> {
  const body = await context.req.parseBody();
  return (name) => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    return typeof value === "string" ? value : "";
  };
}

/** Reads fields of the query. */
export function readQuery(context: Context): (name: string) => string {
  return (name) => context.req.query(name) ?? "";
}

/** A path of the console, for a redirect; any other text becomes the console's front page. */
export function safeNext(text: string): string {
  const origin = "http://console.invalid";
  if (!URL.canParse(text, origin)) return "/console";
  const url = new URL(text, origin);
  const isOwn = url.origin === origin &&
    (url.pathname === "/console" || url.pathname.startsWith("/console/"));
  return isOwn ? url.pathname + url.search + url.hash : "/console";
}
