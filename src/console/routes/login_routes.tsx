import type { Context, Hono } from "hono";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConsoleDeps } from "../console_deps.ts";
import {
  clearSessionCookie,
  type ConsoleEnv,
  loginFormToken,
  setFlowCookie,
  setSessionCookie,
  takeFlowCookie,
  type Visit,
} from "../console_session.ts";
import { page, readForm, readQuery, type RouteKit, safeNext } from "../page_context.tsx";
import { LoginPage, SignedInPage } from "../pages/login_page.tsx";

const CALLBACK_PATH = "/console/login/callback";
const WRONG_KEY = "This key is not valid: it is mistyped, has expired, or was revoked.";

/** Routes for login; they need no session. */
export function addLoginRoutes(app: Hono<ConsoleEnv>, { deps, shellOf }: RouteKit): void {
  const loginPage = (
    context: Context<ConsoleEnv>,
    next: string,
    problem: string | null,
    status = 200,
  ) =>
    page(
      context,
      <LoginPage
        shell={shellOf(context)}
        formToken={loginFormToken(deps.secret)}
        next={safeNext(next)}
        problem={problem}
        hasOidc={deps.oidc !== null}
      />,
      status,
    );

  app.get("/login", async (context) => {
    if (deps.anonymous !== null) return context.redirect("/console", 303);
    return await loginPage(context, readQuery(context)("next"), null);
  });
  app.post("/login", async (context) => {
    if (deps.anonymous !== null) return context.redirect("/console", 303);
    const field = await readForm(context);
    const principal = await deps.login(field("key").trim());
    if (principal === null) return await loginPage(context, field("next"), WRONG_KEY, 401);
    await startSession(deps, context, principal, "credential");
    return context.redirect(safeNext(field("next")), 303);
  });
  app.get("/login/start", async (context) => {
    if (deps.oidc === null) return context.redirect("/console/login", 303);
    const next = safeNext(readQuery(context)("next"));
    try {
      const { url, flow } = await deps.oidc.begin(callbackUrl(deps.publicUrl, context));
      await setFlowCookie(deps, context, JSON.stringify({ flow, next }));
      return context.redirect(url, 303);
    } catch (error) {
      return await loginPage(context, next, reasonOf(error), 502);
    }
  });
  app.get("/login/callback", async (context) => {
    const remembered = parseFlow(await takeFlowCookie(deps, context));
    if (deps.oidc === null || remembered === null) {
      return await loginPage(context, "", "The sign-in took too long. Try again.", 400);
    }
    const redirectUri = callbackUrl(deps.publicUrl, context);
    const came = new URL(redirectUri);
    came.search = new URL(context.req.url).search;
    try {
      const principal = await deps.oidc.finish(came, redirectUri, remembered.flow);
      await startSession(deps, context, principal, "issuer");
    } catch (error) {
      return await loginPage(context, remembered.next, reasonOf(error), 401);
    }
    return await page(
      context,
      <SignedInPage shell={shellOf(context)} next={safeNext(remembered.next)} />,
    );
  });
}

/** The route for logout; it needs the session that it ends. */
export function addLogoutRoute(app: Hono<ConsoleEnv>, { deps }: RouteKit): void {
  app.post("/logout", async (context) => {
    const { sessionId } = context.get("visit");
    if (sessionId !== null) await deps.endSession(sessionId);
    clearSessionCookie(deps, context);
    return context.redirect("/console/login", 303);
  });
}

/** A new login ends the old session, because its owner could no longer log out of it. */
async function startSession(
  deps: ConsoleDeps,
  context: Context<ConsoleEnv>,
  principal: Principal,
  login: "credential" | "issuer",
): Promise<void> {
  const before: Visit | undefined = context.get("visit");
  await setSessionCookie(deps, context, await deps.openSession(principal, login));
  if (typeof before?.sessionId === "string") await deps.endSession(before.sessionId);
}

function callbackUrl(publicUrl: string | undefined, context: Context): string {
  return new URL(CALLBACK_PATH, publicUrl ?? context.req.url).href;
}

function parseFlow(text: string | null): { readonly flow: string; readonly next: string } | null {
  if (text === null) return null;
  try {
    const { flow, next } = JSON.parse(text);
    return typeof flow === "string" && typeof next === "string" ? { flow, next } : null;
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof GateError) return `${error.message}. ${error.hint}.`;
  throw error;
}
