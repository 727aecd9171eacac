import { isWordStart, type Span } from "./span.ts";

/** RFC 9110, 11.1: the scheme in any letter case, one or more spaces, token68. */
const BEARER = /bearer(?:[ \t]{1,16}|%20|\+)([\w.~+/-]{8,16384}={0,2})/iy;
const BASIC = /basic(?:[ \t]{1,16}|%20|\+)([A-Za-z0-9+/]{4,2048}={0,2})/iy;
/** Schemes that are followed by one run of credentials. */
const RUN_SCHEMES: ReadonlySet<string> = new Set([
  ...["bearer", "basic", "token", "apikey", "api-key", "key", "negotiate", "ntlm", "dpop"],
]);

/** Finds the token of a `Bearer` header, in any text. */
export function findBearer(text: string, at: number): Span | null {
  const found = credentials(BEARER, text, at);
  if (found === null) return null;
  const token = text.slice(found.start, found.end);
  const isLong = token.length >= 20 || token.length >= 12 && /\d/.test(token);
  const isHeader = /\d|[A-Z]/.test(token) &&
    /authorization\W{1,12}$/i.test(text.slice(Math.max(0, at - 32), at));
  return isLong || isHeader ? { ...found, name: "bearer-token" } : null;
}

/** Finds `user:password` in base64 after `Basic`. */
export function findBasic(text: string, at: number): Span | null {
  const found = credentials(BASIC, text, at);
  if (found === null) return null;
  try {
    const pair = atob(text.slice(found.start, found.end));
    // deno-lint-ignore no-control-regex -- a word that happens to be base64 decodes to such characters
    return /^[^:\x00-\x1f]*:[^\x00-\x1f]+$/.test(pair)
      ? { ...found, name: "basic-password" }
      : null;
  } catch {
    return null; // a word after "basic", not base64
  }
}

function credentials(
  pattern: RegExp,
  text: string,
  at: number,
): { start: number; end: number } | null {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null || !isWordStart(text, at)) return null;
  const end = at + match[0].length;
  return { start: end - (match[1] ?? "").length, end };
}

/**
 * Parameters of a scheme such as `Digest` or `AWS4-HMAC-SHA256`, also with quotes escaped by JSON.
 */
const PARAMETERS =
  /^(?:[\w-]{1,64}=(?:(\\*)"(?!\s*[,:\]}])[^"\\\r\n]{0,2048}\1"(?=[,\s\\"']|$)|[^\s,"'\\]{1,2048})(?:,[ \t]{0,8})?){1,32}/;
const SCHEME = /^[ \t]*([A-Za-z][\w-]{2,23})(?:[ \t]+|%20|\+)/;

/**
 * Finds the secret part of a value of `Authorization` or `Cookie`; null if the value is only prose.
 *
 * @param isField whether the value is a complete field, so that no prose can follow.
 */
export function secretOfHeader(
  value: string,
  isField: boolean,
): { start: number; end: number } | null {
  const [head = "", scheme = ""] = SCHEME.exec(value) ?? [];
  const start = head.length;
  const rest = value.slice(start);
  if (RUN_SCHEMES.has(scheme.toLowerCase())) {
    const run = /^[^\s,;"'\\]*/.exec(rest)?.[0] ?? "";
    const isSecret = run !== "" && (isField || run.length >= 16 || /[\d=]/.test(run));
    return isSecret ? { start, end: start + run.length } : null;
  }
  const parameters = scheme === "" ? null : PARAMETERS.exec(rest);
  if (parameters !== null) return { start, end: start + parameters[0].length };
  const whole = /^[^\s=;,"'\\]{1,128}=[^\r\n"'\\]+|^(?=\D{0,64}\d)[^\s,;"'\\]{16,}/.exec(value)
    ?.[0];
  return whole === undefined ? null : { start: 0, end: isField ? value.length : whole.length };
}
