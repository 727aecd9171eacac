import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import type { Principal } from "../model/principal.ts";
import type { ConsoleDeps, ConsoleSession } from "./console_deps.ts";

/** Who looks at a page, and what their forms must carry. */
export interface Visit {
  readonly principal: Principal;
  /** Proves that a form was made by this console for this session. */
  readonly formToken: string;
  /** Null without authentication: nobody logs in, nobody logs out. */
  readonly sessionId: string | null;
}

export type ConsoleEnv = { Variables: { visit: Visit } };

type CookieDeps = Pick<ConsoleDeps, "secret" | "publicUrl">;

const SESSION_COOKIE = "toolgate_session";
const FLOW_COOKIE = "toolgate_login";
const FLOW_SECONDS = 600;
const COOKIE_PATH = "/console";

/** The visit that a request belongs to; null if its sender has to log in. */
export async function findVisit(
  deps: CookieDeps & Pick<ConsoleDeps, "anonymous" | "sessionPrincipal">,
  context: Context,
): Promise<Visit | null> {
  if (deps.anonymous !== null) {
    return {
      principal: deps.anonymous,
      formToken: formToken(deps.secret, ""),
      sessionId: null,
    };
  }
  const sessionId = await getSignedCookie(context, deps.secret, SESSION_COOKIE);
  if (typeof sessionId !== "string") return null;
  const principal = await deps.sessionPrincipal(sessionId);
  if (principal === null) return null;
  return { principal, formToken: formToken(deps.secret, sessionId), sessionId };
}

/** The cookie holds the session's id and nothing of the credential. */
export async function setSessionCookie(
  deps: CookieDeps & Pick<ConsoleDeps, "now">,
  context: Context,
  session: ConsoleSession,
): Promise<void> {
  await setSignedCookie(context, SESSION_COOKIE, session.id, deps.secret, {
    path: COOKIE_PATH,
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure(deps),
    maxAge: Math.max(0, Math.floor((session.expiresAtMs - deps.now()) / 1_000)),
  });
}

export function clearSessionCookie(context: Context): void {
  deleteCookie(context, SESSION_COOKIE, { path: COOKIE_PATH });
}

/**
 * Remembers a login at the issuer until the browser comes back.
 *
 * `Lax`: the way back is a navigation from the issuer's site, which carries no `Strict` cookie.
 */
export async function setFlowCookie(
  deps: CookieDeps,
  context: Context,
  flow: string,
): Promise<void> {
  await setSignedCookie(context, FLOW_COOKIE, flow, deps.secret, {
    path: `${COOKIE_PATH}/login`,
    httpOnly: true,
    sameSite: "Lax",
    secure: isSecure(deps),
    maxAge: FLOW_SECONDS,
  });
}

/** What was remembered; forgotten with this call, so that a way back is taken once. */
export async function takeFlowCookie(deps: CookieDeps, context: Context): Promise<string | null> {
  const flow = await getSignedCookie(context, deps.secret, FLOW_COOKIE);
  deleteCookie(context, FLOW_COOKIE, { path: `${COOKIE_PATH}/login` });
  return typeof flow === "string" ? flow : null;
}

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = typeof THEMES[number];
const THEME_COOKIE = "toolgate_theme";
const THEME_SECONDS = 365 * 86_400;

export function themeOf(context: Context): Theme {
  const theme = getCookie(context, THEME_COOKIE);
  return THEMES.find((known) => known === theme) ?? "system";
}

export function setThemeCookie(deps: CookieDeps, context: Context, theme: Theme): void {
  setCookie(context, THEME_COOKIE, theme, {
    path: COOKIE_PATH,
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure(deps),
    maxAge: THEME_SECONDS,
  });
}

/** Whether a form was sent by a page of this console to this session. */
export function isOwnForm(
  deps: CookieDeps,
  context: Context,
  visit: Visit | null,
  token: string,
): boolean {
  if (!isOwnOrigin(deps, context.req.raw)) return false;
  const wanted = visit?.formToken ?? formToken(deps.secret, "");
  return token.length === wanted.length && timingSafeEqual(Buffer.from(token), Buffer.from(wanted));
}

/** The token of forms outside a session: the login page. */
export function loginFormToken(secret: Uint8Array): string {
  return formToken(secret, "");
}

function formToken(secret: Uint8Array, sessionId: string): string {
  return createHmac("sha256", secret).update(`console form\n${sessionId}`).digest("hex");
}

/** Browsers say where a form comes from; what they say must be this service. */
function isOwnOrigin({ publicUrl }: CookieDeps, request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  if (!URL.canParse(origin)) return false; // "null": a sandboxed page
  const { host } = new URL(origin);
  // Behind a proxy the scheme of the request is not the browser's, the host is.
  return host === new URL(request.url).host ||
    (publicUrl !== undefined && host === new URL(publicUrl).host);
}

function isSecure({ publicUrl }: CookieDeps): boolean {
  return publicUrl?.startsWith("https:") ?? false;
}
