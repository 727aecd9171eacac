import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { isOwnOrigin } from "../model/own_origin.ts";
import type { Principal } from "../model/principal.ts";
import type { ConsoleDeps, ConsoleSession } from "./console_deps.ts";

/** The visitor of a page, and the token that the forms must carry. */
export interface Visit {
  readonly principal: Principal;
  /** Proves that a form was made by this console for this session. */
  readonly formToken: string;
  /** Null without authentication: then visitors do not log in or out. */
  readonly sessionId: string | null;
}

export type ConsoleEnv = { Variables: { visit: Visit } };

type CookieDeps = Pick<ConsoleDeps, "secret" | "publicUrl">;

const SESSION_COOKIE = "toolgate_session";
const FLOW_COOKIE = "toolgate_login";
const FLOW_SECONDS = 600;
const COOKIE_PATH = "/console";
const FLOW_PATH = `${COOKIE_PATH}/login`;

/**
 * Name and path of a cookie. Over HTTPS another host of the domain cannot set a `__Host-` cookie.
 * Over plain HTTP all ports of a host share cookies: see docs/threat-model.md.
 */
function cookieOf(deps: CookieDeps, name: string, path: string): { name: string; path: string } {
  return isSecure(deps) ? { name: `__Host-${name}`, path: "/" } : { name, path };
}

/** The visit of a request; null if its sender has to log in. */
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
  const { name } = cookieOf(deps, SESSION_COOKIE, COOKIE_PATH);
  const sessionId = await getSignedCookie(context, deps.secret, name);
  if (typeof sessionId !== "string") return null;
  const principal = await deps.sessionPrincipal(sessionId);
  if (principal === null) return null;
  return { principal, formToken: formToken(deps.secret, sessionId), sessionId };
}

/** The cookie holds only the session's id, never the credential. */
export async function setSessionCookie(
  deps: CookieDeps & Pick<ConsoleDeps, "now">,
  context: Context,
  session: ConsoleSession,
): Promise<void> {
  const { name, path } = cookieOf(deps, SESSION_COOKIE, COOKIE_PATH);
  await setSignedCookie(context, name, session.id, deps.secret, {
    path,
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure(deps),
    maxAge: Math.max(0, Math.floor((session.expiresAtMs - deps.now()) / 1_000)),
  });
}

export function clearSessionCookie(deps: CookieDeps, context: Context): void {
  const { name, path } = cookieOf(deps, SESSION_COOKIE, COOKIE_PATH);
  deleteCookie(context, name, { path, secure: isSecure(deps) });
}

/**
 * Remembers a login at the issuer until the browser comes back.
 *
 * `Lax`: the browser comes back from the issuer's site, so it would not send a `Strict` cookie.
 */
export async function setFlowCookie(
  deps: CookieDeps,
  context: Context,
  flow: string,
): Promise<void> {
  const { name, path } = cookieOf(deps, FLOW_COOKIE, FLOW_PATH);
  await setSignedCookie(context, name, flow, deps.secret, {
    path,
    httpOnly: true,
    sameSite: "Lax",
    secure: isSecure(deps),
    maxAge: FLOW_SECONDS,
  });
}

/** Returns the remembered login and deletes it, so that it can be finished only once. */
export async function takeFlowCookie(deps: CookieDeps, context: Context): Promise<string | null> {
  const { name, path } = cookieOf(deps, FLOW_COOKIE, FLOW_PATH);
  const flow = await getSignedCookie(context, deps.secret, name);
  deleteCookie(context, name, { path, secure: isSecure(deps) });
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

/** True if a page of this console sent the form for this session. */
export function isOwnForm(
  deps: CookieDeps,
  context: Context,
  visit: Visit | null,
  token: string,
): boolean {
  if (!isOwnOrigin(context.req.raw, deps.publicUrl)) return false;
  const wanted = visit?.formToken ?? formToken(deps.secret, "");
  return token.length === wanted.length && timingSafeEqual(Buffer.from(token), Buffer.from(wanted));
}

/** The token of the login form, which has no session. */
export function loginFormToken(secret: Uint8Array): string {
  return formToken(secret, "");
}

function formToken(secret: Uint8Array, sessionId: string): string {
  return createHmac("sha256", secret).update(`console form\n${sessionId}`).digest("hex");
}

function isSecure({ publicUrl }: CookieDeps): boolean {
  return publicUrl?.startsWith("https:") ?? false;
}
