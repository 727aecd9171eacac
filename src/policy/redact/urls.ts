import type { Span } from "./span.ts";

/** The longest user info that the search examines. */
const USER_INFO_MAX = 2_048;
/**
 * A certain host: a name with a top-level domain, an address, `localhost`, or a name with a port.
 */
const SURE_HOST =
  /^(?:(?:[\w-]+\.)+[A-Za-z]{2,63}|\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9A-Fa-f:.]+\]|[\w.-]+:\d{1,5})(?![\w@.])/;
/** The possible start of a host after the user info. */
const HOST = /^(?:[\p{L}\p{M}\p{N}_]|\[[0-9A-Fa-f:])/u;

/** Placeholders for a password in documents, and marks of an earlier redaction. */
const MASK = /^(?:\*+|x{3,}|\$\{[^}]*\}|<.*>|%5BREDACTED%5D|\[redacted:[^\]]*\])$/i;

interface Signs {
  readonly colon: string;
  readonly at: string;
}

const PLAIN: Signs = { colon: ":", at: "@" };
/** Signs of a URL inside the query of another URL. */
const ENCODED: Signs = { colon: "%3A", at: "%40" };

/**
 * Finds the password of the URL whose authority begins at `from`.
 *
 * Passwords are often not encoded correctly. So user info ends at the last `@` of the authority. If
 * the host there is uncertain (`p@ss/word@db`), user info ends at the last `@` before the query.
 */
export function findUrlPassword(
  text: string,
  from: number,
  quote: string,
  isEncoded: boolean,
): Span | null {
  const signs = isEncoded ? ENCODED : PLAIN;
  const run = readRun(text, from, quote, isEncoded);
  // The authority begins with an IPv6 address: its colons do not separate user info.
  if (run.startsWith("[")) return null;
  const head = /[/?#\\]|%2F/i.exec(run)?.index ?? run.length;
  const colon = run.indexOf(signs.colon);
  if (colon < 0 || colon > head) return null;
  const start = colon + signs.colon.length;
  // A user name may look like an e-mail address: `ftp://bob@acme.com:word@host`.
  const isUserOpen = run.slice(0, colon).includes(signs.at);
  const end = endOfUserInfo(run, start, signs, isUserOpen);
  if (end <= start || MASK.test(run.slice(start, end))) return null;
  return { start: from + start, end: from + end, name: "url-password" };
}

/** The URL up to white space, a quote or the next URL. */
function readRun(text: string, from: number, quote: string, isEncoded: boolean): string {
  const window = text.slice(from, from + USER_INFO_MAX);
  const end = window.search(isEncoded ? /[\s"<>`\\&]/ : /[\s"<>`]|\\(?!\/)|:\\?\/\\?\//);
  const run = end < 0 ? window : window.slice(0, end);
  const single = quote === "'" ? run.indexOf("'") : -1;
  const whole = single < 0 ? run : run.slice(0, single);
  return isEncoded ? whole.replaceAll(/%(?:3a|2f)/g, (code) => code.toUpperCase()) : whole;
}

/** Place of the `@` that ends the user info; -1 if there is none. */
function endOfUserInfo(
  run: string,
  start: number,
  { at }: Signs,
  isUserOpen: boolean,
): number {
  const found = run.slice(start).search(at === "@" ? /[/?#]/ : /%2F|%3F|%23/i);
  const authority = found < 0 ? run : run.slice(0, start + found);
  const inAuthority = authority.lastIndexOf(at);
  if (inAuthority >= start) {
    const host = run.slice(inAuthority + at.length);
    if (found < 0 || at !== "@" || SURE_HOST.test(host)) return inAuthority;
    const later = lastAt(run, inAuthority, at);
    return later < 0 ? inAuthority : later;
  }
  // `host:8080/@scope` is a port and a path.
  const before = run.slice(start, authority.length);
  if (isUserOpen || /^\d{0,5}\\?$/.test(before)) return -1;
  return lastAt(run, start - 1, at);
}

/** The last `@` after `from` that a host can follow; an `@` before the query comes first. */
function lastAt(run: string, from: number, at: string): number {
  const query = run.slice(from + 1).search(/[?#]/);
  for (const end of query < 0 ? [run.length] : [from + 1 + query, run.length]) {
    const place = run.lastIndexOf(at, end - 1);
    if (place > from && HOST.test(run.slice(place + at.length, place + at.length + 2))) {
      return place;
    }
  }
  return -1;
}
