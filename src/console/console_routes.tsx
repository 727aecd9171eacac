import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { reportError } from "../model/errors.ts";
import { findAsset } from "./assets.ts";
import type { ConsoleDeps } from "./console_deps.ts";
import {
  type ConsoleEnv,
  findVisit,
  isOwnForm,
  setThemeCookie,
  THEMES,
} from "./console_session.ts";
import { createRouteKit, page, readForm, type RouteKit, safeNext } from "./page_context.tsx";
import { MessagePage } from "./pages/message_page.tsx";
import { addAuditRoutes } from "./routes/audit_routes.tsx";
import { addCatalogRoutes } from "./routes/catalog_routes.tsx";
import { addConnectRoutes } from "./routes/connect_routes.tsx";
import { addExecutionRoutes } from "./routes/execution_routes.tsx";
import { addLoginRoutes, addLogoutRoute } from "./routes/login_routes.tsx";
import { addPolicyRoutes } from "./routes/policy_routes.tsx";
import { addUsageRoutes } from "./routes/usage_routes.tsx";
import { securityHeaders } from "./security_headers.ts";
import { Hostile } from "./view/hostile.tsx";
import { SECTIONS } from "./view/layout.tsx";

/** Largest form in bytes; the largest part is the arguments of a decision to explain. */
const FORM_BYTES_MAX = 131_072;

const STATUS_OF_CODE: { readonly [code: string]: number } = {
  ERR_BAD_REQUEST: 400,
  ERR_CREDENTIAL: 400,
  ERR_NOT_FOUND: 404,
  ERR_TOOL_NOT_FOUND: 404,
  ERR_BUSY: 429,
  ERR_STORE: 503,
  ERR_AUDIT_UNAVAILABLE: 503,
};

/** The web console, for mounting at `/console`. It serves pages and all files that they load. */
export function consoleRoutes(deps: ConsoleDeps): Hono {
  const app = new Hono<ConsoleEnv>();
  const kit = createRouteKit(deps);
  app.use(securityHeaders);
  app.use(bodyLimit({
    maxSize: FORM_BYTES_MAX,
    onError: (context) =>
      message(kit, context, {
        title: "Too much at once",
        text: "Send a smaller form.",
        status: 413,
      }),
  }));
  app.get("/assets/:name", (context) => sendAsset(context, context.req.param("name")));
  app.use(recognizeVisit(kit));
  addLoginRoutes(app, kit);
  app.use(requireVisit);
  app.get("/", (context) => goHome(kit, context));
  app.post("/theme", (context) => setTheme(kit, context));
  addLogoutRoute(app, kit);
  addExecutionRoutes(app, kit);
  addCatalogRoutes(app, kit);
  addPolicyRoutes(app, kit);
  addUsageRoutes(app, kit);
  addAuditRoutes(app, kit);
  addConnectRoutes(app, kit);
  // Under another app `notFound` is never called, so a catch-all route answers.
  app.all("*", (context) => {
    const { pathname } = new URL(context.req.url);
    if (pathname === "/console/") return context.redirect("/console", 303);
    const text = `The console has nothing at ${pathname.slice(0, 200)}.`;
    return message(kit, context, { title: "There is no such page", text, status: 404 });
  });
  app.onError((error, context) => {
    const report = reportError(error);
    if (report.code === "ERR_INTERNAL") {
      deps.log("error", "Console page failed", { cause: error.stack ?? error.message });
    }
    const status = STATUS_OF_CODE[report.code] ?? 500;
    const text = `${report.message}. ${report.hint}`;
    return message(kit, context, { title: "That did not work", text, status });
  });
  return app as unknown as Hono;
}

function message(
  { shellOf }: RouteKit,
  context: Context<ConsoleEnv>,
  { title, text, status }: {
    readonly title: string;
    readonly text: string;
    readonly status: number;
  },
): Promise<Response> {
  return page(
    context,
    <MessagePage shell={shellOf(context)} title={title}>
      <p>
        <Hostile text={text} />
      </p>
    </MessagePage>,
    status,
  );
}

function sendAsset(context: Context, name: string): Response {
  const asset = findAsset(name);
  if (asset === null) return context.text("Not found", 404);
  return context.body(asset.text, 200, {
    "content-type": asset.type,
    "cache-control": "public, max-age=31536000, immutable",
  });
}

/** Finds the visit of a request; refuses forms that are not of this console and session. */
function recognizeVisit(kit: RouteKit): MiddlewareHandler<ConsoleEnv> {
  const { deps } = kit;
  return async (context, next) => {
    const visit = await findVisit(deps, context);
    if (visit !== null) context.set("visit", visit);
    if (context.req.method === "GET" || context.req.method === "HEAD") return await next();
    const field = await readForm(context);
    const isLogin = new URL(context.req.url).pathname === "/console/login";
    if (isOwnForm(deps, context, isLogin ? null : visit, field("token"))) return await next();
    const text = "Go back, load the page again, and send the form once more.";
    return await message(kit, context, { title: "This form has expired", text, status: 403 });
  };
}

/** Sends a visitor without a session to the login, which leads back to the page. */
const requireVisit: MiddlewareHandler<ConsoleEnv> = async (context, next) => {
  if (context.get("visit") !== undefined) return await next();
  const { pathname, search } = new URL(context.req.url);
  const isPage = context.req.method === "GET" && !context.req.header("hx-request") &&
    !pathname.endsWith("/stream");
  const query = new URLSearchParams({ next: isPage ? pathname + search : "/console" });
  const login = `/console/login?${query}`;
  // A part of a page cannot show the login: the header sends the whole browser page there.
  if (!isPage) return context.body(null, 401, { "hx-redirect": login });
  return context.redirect(login, 303);
};

/** The first section that the visitor may see. */
function goHome(kit: RouteKit, context: Context<ConsoleEnv>): Response | Promise<Response> {
  const { scopes } = context.get("visit").principal;
  const home = SECTIONS.find((section) => scopes.includes(section.scope));
  if (home !== undefined) return context.redirect(home.href, 303);
  const text = "Your credential opens no page. Ask for one with scope search, audit or admin.";
  return message(kit, context, { title: "Nothing to show", text, status: 403 });
}

async function setTheme({ deps }: RouteKit, context: Context<ConsoleEnv>): Promise<Response> {
  const field = await readForm(context);
  const theme = THEMES.find((known) => known === field("theme")) ?? "system";
  setThemeCookie(deps, context, theme);
  return context.redirect(safeNext(field("next")), 303);
}
