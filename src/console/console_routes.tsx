import { type Context, Hono } from "hono";
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
import { createRouteKit, page, readForm, safeNext } from "./page_context.tsx";
import { MessagePage } from "./pages/message_page.tsx";
import { addAuditRoutes } from "./routes/audit_routes.tsx";
import { addCatalogRoutes } from "./routes/catalog_routes.tsx";
import { addExecutionRoutes } from "./routes/execution_routes.tsx";
import { addLoginRoutes, addLogoutRoute } from "./routes/login_routes.tsx";
import { addPolicyRoutes } from "./routes/policy_routes.tsx";
import { addUsageRoutes } from "./routes/usage_routes.tsx";
import { securityHeaders } from "./security_headers.ts";
import { Hostile } from "./view/hostile.tsx";
import { SECTIONS } from "./view/layout.tsx";

/** Largest form, in bytes; arguments of a decision to explain are the largest part of any. */
const FORM_BYTES_MAX = 131_072;

const STATUS_OF_CODE: { readonly [code: string]: number } = {
  ERR_BAD_REQUEST: 400,
  ERR_NOT_FOUND: 404,
  ERR_TOOL_NOT_FOUND: 404,
  ERR_BUSY: 429,
  ERR_STORE: 503,
  ERR_AUDIT_UNAVAILABLE: 503,
};

/** The web console, to be mounted at `/console`. Pages come from here and so does all they load. */
export function consoleRoutes(deps: ConsoleDeps): Hono {
  const app = new Hono<ConsoleEnv>();
  const kit = createRouteKit(deps);
  const message = (context: Context<ConsoleEnv>, title: string, text: string, status: number) =>
    page(
      context,
      <MessagePage shell={kit.shellOf(context)} title={title}>
        <p>
          <Hostile text={text} />
        </p>
      </MessagePage>,
      status,
    );

  app.use(securityHeaders);
  app.use(bodyLimit({
    maxSize: FORM_BYTES_MAX,
    onError: (context) => message(context, "Too much at once", "Send a smaller form.", 413),
  }));
  app.get("/assets/:name", (context) => {
    const asset = findAsset(context.req.param("name"));
    if (asset === null) return context.text("Not found", 404);
    return context.body(asset.text, 200, {
      "content-type": asset.type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  });
  app.use(async (context, next) => {
    const visit = await findVisit(deps, context);
    if (visit !== null) context.set("visit", visit);
    if (context.req.method !== "GET" && context.req.method !== "HEAD") {
      const field = await readForm(context);
      const isLogin = new URL(context.req.url).pathname.endsWith("/login");
      if (!isOwnForm(deps, context, isLogin ? null : visit, field("token"))) {
        return await message(
          context,
          "This form has expired",
          "Go back, load the page again, and send the form once more.",
          403,
        );
      }
    }
    await next();
  });
  addLoginRoutes(app, kit);
  app.use(async (context, next) => {
    if (context.get("visit") !== undefined) return await next();
    const { pathname, search } = new URL(context.req.url);
    const isPage = context.req.method === "GET" && !context.req.header("hx-request") &&
      !pathname.endsWith("/stream");
    const login = `/console/login?${new URLSearchParams({
      next: isPage ? pathname + search : "/console",
    })}`;
    // A part of a page cannot show the login page: the browser is told to go there as a whole.
    if (!isPage) return context.body(null, 401, { "hx-redirect": login });
    return context.redirect(login, 303);
  });
  app.get("/", (context) => {
    const { scopes } = context.get("visit").principal;
    const home = SECTIONS.find((section) => scopes.includes(section.scope));
    if (home !== undefined) return context.redirect(home.href, 303);
    return message(
      context,
      "Nothing to show",
      "Your credential opens no page. Ask for one with scope search, audit or admin.",
      403,
    );
  });
  app.post("/theme", async (context) => {
    const field = await readForm(context);
    const theme = THEMES.find((known) => known === field("theme")) ?? "system";
    setThemeCookie(deps, context, theme);
    return context.redirect(safeNext(field("next")), 303);
  });
  addLogoutRoute(app, kit);
  addExecutionRoutes(app, kit);
  addCatalogRoutes(app, kit);
  addPolicyRoutes(app, kit);
  addUsageRoutes(app, kit);
  addAuditRoutes(app, kit);
  // Mounted under another app, a catch-all route answers what `notFound` would not hear of.
  app.all("*", (context) => {
    if (new URL(context.req.url).pathname === "/console/") return context.redirect("/console", 303);
    return message(
      context,
      "There is no such page",
      `The console has nothing at ${readPath(context)}.`,
      404,
    );
  });
  app.onError(async (error, context) => {
    const report = reportError(error);
    if (report.code === "ERR_INTERNAL") {
      deps.log("error", "Console page failed", { cause: error.stack ?? error.message });
    }
    const status = STATUS_OF_CODE[report.code] ?? 500;
    return await message(
      context,
      "That did not work",
      `${report.message}. ${report.hint}`,
      status,
    );
  });
  return app as unknown as Hono;
}

function readPath(context: Context): string {
  return new URL(context.req.url).pathname.slice(0, 200);
}
