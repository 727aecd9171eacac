import { escapeLength, type Span } from "./span.ts";

/**
 * RFC 5321 allows 64 octets; the search takes more, so that it does not split a longer local part.
 */
const LOCAL_MAX = 128;
/** RFC 5321, 4.5.3.1.2. */
const DOMAIN_MAX = 255;

/** RFC 5322, 3.2.3: atext, and the dot between atoms. */
const LOCAL_ASCII = asciiTable(/[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]/);
const DOMAIN_ASCII = asciiTable(/[A-Za-z0-9.-]/);
/** RFC 6531: letters with their marks, digits, symbols, the joiners of Indic and Persian words. */
const LOCAL_OTHER = /^[\p{L}\p{M}\p{N}\p{So}\p{Sk}\u200c\u200d\u2019]$/u;
/** Includes the dots of RFC 3490. */
const DOMAIN_OTHER = /^[\p{L}\p{M}\p{N}\u200c\u200d\u3002\uff0e\uff61]$/u;
/** The full stop, and the characters that RFC 3490 treats as a full stop. */
const DOTS = ".\u3002\uff0e\uff61";
/** Endings of file names and of systemd units that are not top-level domains. */
const NO_DOMAIN_END: ReadonlySet<string> = new Set([
  ...["png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "js", "mjs", "cjs", "jsx", "ts"],
  ...[
    "tsx",
    "css",
    "json",
    "html",
    "yaml",
    "yml",
    "toml",
    "lock",
    "txt",
    "log",
    "xml",
    "tgz",
    "gz",
    "po",
  ],
  ...["go", "java", "jar", "pdf", "csv", "sql", "conf", "ini", "swap", "automount", "device"],
  ...["service", "socket", "timer", "mount", "slice", "scope"],
]);

/** Finds the address whose `@`, or `%40`, stands at `at`; the search does not go before `from`. */
export function findEmail(text: string, at: number, sign: string, from: number): Span | null {
  const end = endOfDomain(text, at + sign.length);
  if (end < 0) return null;
  const isEncoded = sign !== "@";
  const start = isEncoded ? startOfDotAtom(text, at, from, true) : startOfLocal(text, at, from);
  if (start >= at) return null;
  if (isUserInfo(text, start)) return null;
  // The user of a version control host is not a person.
  if (text.slice(start, at) === "git" && /^[:/]/.test(text.slice(end, end + 1))) return null;
  return { start, end, name: "email" };
}

/** Whether `word@host` is the end of `scheme://user:word@host`. */
function isUserInfo(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 300), start);
  return before.includes("://") &&
    /:\/\/[^\s/@"']{0,128}:[^\s/?#"'<>]{0,256}$/.test(before.slice(before.lastIndexOf("://")));
}

function startOfLocal(text: string, at: number, from: number): number {
  if (text[at - 1] !== '"') return startOfDotAtom(text, at, from, false);
  const quoted = startOfQuoted(text, at, from);
  return quoted < 0 ? at : quoted;
}

/** Start of `"john doe"@`, also with the backslashes of a JSON text; -1 if it is not quoted. */
function startOfQuoted(text: string, at: number, from: number): number {
  let close = at - 1;
  while (close > from && text[close - 1] === "\\") close--;
  const escape = text.slice(close, at);
  const floor = Math.max(from, close - LOCAL_MAX);
  for (let open = close - escape.length; open >= floor; open--) {
    const character = text[open];
    if (character === "\n" || character === "\r") return -1;
    if (text[open + escape.length - 1] !== '"') continue;
    // A quote with fewer backslashes ends the text that the address would stand in.
    if (!text.startsWith(escape, open)) return -1;
    if (text[open - 1] === "\\") continue;
    // What follows the quote of a JSON text is not a local part: `{"a": "@b.example"}`.
    return /^\s*[^\s:,\]}]/.test(text.slice(open + escape.length, close)) ? open : -1;
  }
  return -1;
}

function startOfDotAtom(text: string, at: number, from: number, isEncoded: boolean): number {
  const floor = Math.max(from, at - LOCAL_MAX);
  let start = at;
  while (start > floor) {
    const width = widthBefore(text, start);
    if (!isOneOf(text.slice(start - width, start), LOCAL_ASCII, LOCAL_OTHER)) break;
    start -= width;
  }
  return skipSurroundings(text, start, at, isEncoded);
}

/** Skips text such as `email=`, which is valid in an address by RFC 5322, but is not part of it. */
function skipSurroundings(text: string, from: number, at: number, isEncoded: boolean): number {
  let start = from + glueLength(text, from, at);
  const local = text.slice(start, at);
  const isUrl = isEncoded || local.includes("//") ||
    /[?&][\w.-]{1,64}=/.test(local) || text[start - 1] === ":" && local.startsWith("//");
  if (isUrl) {
    start += Math.max(...["/", "?", "&", "="].map((sign) => local.lastIndexOf(sign))) + 1;
  } else {
    start +=
      /^.*?\b(?:e?mail|user|username|login|name|to|from|cc|bcc|owner|author|contact|account)=/i
        .exec(local)?.[0].length ?? 0;
  }
  const rest = text.slice(start, at);
  return start + (/^(?:%[0-9A-Fa-f]{2}|['\u2019`{}|*/=?&~.])+/.exec(rest)?.[0].length ?? 0);
}

/** Characters at `start` that belong to a JSON escape or a colour code before the address. */
function glueLength(text: string, start: number, at: number): number {
  const escape = escapeLength(text, start);
  if (escape > 0) return escape;
  const floor = Math.max(0, start - 16);
  const around = text.slice(floor, Math.min(at, start + 16));
  const open = around.lastIndexOf("[");
  const colour = open < 0 ? null : /^\[[\d;]{1,16}m/.exec(around.slice(open));
  return colour === null ? 0 : Math.max(0, floor + open + colour[0].length - start);
}

/**
 * End of a domain with a possible top-level domain, or of an address literal; -1 if it is neither.
 */
function endOfDomain(text: string, from: number): number {
  if (text[from] === "[") {
    const literal = /^\[(?:IPv6:[0-9A-Fa-f:.]{2,45}|\d{1,3}(?:\.\d{1,3}){3})\]/i
      .exec(text.slice(from, from + 64));
    return literal === null ? -1 : from + literal[0].length;
  }
  let end = from;
  while (end < text.length && end - from < DOMAIN_MAX) {
    const width = (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
    if (!isOneOf(text.slice(end, end + width), DOMAIN_ASCII, DOMAIN_OTHER)) break;
    end += width;
  }
  const domain = text.slice(from, end);
  if (/^v?\d+\.\d/i.test(domain)) return -1;
  return from + lengthToTop(domain);
}

/** Length up to the last label that can be a top-level domain; -Infinity if no label can. */
function lengthToTop(domain: string): number {
  if (DOTS.includes(domain[0] ?? "")) return -Infinity;
  let end = domain.length;
  for (let dot = end - 1; dot > 0; dot--) {
    if (!DOTS.includes(domain[dot] ?? "")) continue;
    while (domain[end - 1] === "-") end--;
    if (isTop(domain.slice(dot + 1, end))) return end;
    end = dot;
  }
  return -Infinity;
}

function isTop(label: string): boolean {
  if (/^[A-Za-z]{2,63}$/.test(label)) return !NO_DOMAIN_END.has(label.toLowerCase());
  if (/^xn--[a-z0-9-]{2,59}$/i.test(label)) return true;
  return /^[\p{L}][\p{L}\p{M}\p{N}\u200c\u200d]{1,62}$/u.test(label) &&
    !/^[A-Za-z]*\d/.test(label) && !NO_DOMAIN_END.has(label.toLowerCase());
}

function widthBefore(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return code >= 0xdc00 && code <= 0xdfff && end > 1 ? 2 : 1;
}

function isOneOf(character: string, ascii: Uint8Array, other: RegExp): boolean {
  const code = character.charCodeAt(0);
  return code < 128 ? ascii[code] === 1 : other.test(character);
}

function asciiTable(pattern: RegExp): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 128; code++) {
    if (pattern.test(String.fromCharCode(code))) table[code] = 1;
  }
  return table;
}
