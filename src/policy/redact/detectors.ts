import { type Anchor, compileAnchors } from "./anchor_scan.ts";
import { type AssignmentState, findAssigned, NAME_WORDS } from "./assignments.ts";
import { findEmail } from "./email.ts";
import { findBasic, findBearer } from "./headers.ts";
import { findJwt, type JwtState } from "./jwt.ts";
import { findPrivateKey, PRIVATE_KEY_START } from "./private_key.ts";
import type { SecretNameKind } from "./secret_name.ts";
import { escapeLength, isWordStart, type Span } from "./span.ts";
import { TOKEN_FORMS, type TokenForm } from "./tokens.ts";
import { findUrlPassword } from "./urls.ts";

/** This many word characters directly before a token are a blob, such as an image in base64. */
const BLOB = /[\w-]{64}$/;

/** The state of one search. It keeps the reached offsets, so that no text is read repeatedly. */
interface Search extends AssignmentState, JwtState {
  readonly spans: Span[];
  /** End of the last token of each form. */
  ends: Map<TokenForm, number> | null;
  keyEnd: number;
}

/** Base64 of `{"`, also with a blank or a line end between the two. */
const JWT_STARTS = ["eyJ", "eyAi", "ewog", "ewoJ", "ewoi", "ew0K"];

const scanSecrets = compileAnchors<Search>([
  ...TOKEN_FORMS.flatMap(tokenAnchors),
  ...NAME_WORDS.map((word): Anchor<Search> => ({
    text: word,
    ignoreCase: true,
    visit: (search, text, at) => void search.spans.push(...findAssigned(text, at, search)),
  })),
  ...JWT_STARTS.map((start): Anchor<Search> => ({
    text: start,
    visit: (search, text, at) => add(search, findJwt(text, at, search)),
  })),
  {
    text: "bearer",
    ignoreCase: true,
    visit: (search, text, at) => add(search, findBearer(text, at)),
  },
  {
    text: "basic",
    ignoreCase: true,
    visit: (search, text, at) => add(search, findBasic(text, at)),
  },
  urlAnchor("://", false),
  urlAnchor(":\\/\\/", false),
  urlAnchor("%3a%2f%2f", true),
  { text: PRIVATE_KEY_START, visit: visitPrivateKey },
]);

/**
 * Finds tokens of well-known services, private keys, passwords in URLs and values under secret names.
 *
 * @param kindOf what the name of a field says about its value.
 */
export function findSecrets(
  text: string,
  kindOf: (name: string) => SecretNameKind | null,
): Span[] {
  const search: Search = {
    spans: [],
    kindOf,
    ends: null,
    nameLimit: 0,
    jwtRunEnd: 0,
    jwtTries: 0,
    jwtLimit: 0,
    keyEnd: 0,
  };
  scanSecrets(search, text);
  return search.spans;
}

/** `@`, and its forms in a URL, in a JSON text, in HTML and in full width. */
const EMAIL_SIGNS = ["@", "%40", "\\u0040", "&#64;", "&#x40;", "&commat;", "\uff20"] as const;

/** Finds e-mail addresses. */
export function findEmails(text: string): Span[] {
  const spans: Span[] = [];
  for (const sign of EMAIL_SIGNS) {
    let reached = 0;
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + sign.length)) {
      const span = findEmail(text, at, sign, reached);
      if (span === null) continue;
      spans.push(span);
      reached = span.end;
    }
  }
  return spans;
}

function add(search: Search, span: Span | null): void {
  if (span !== null) search.spans.push(span);
}

function tokenAnchors(form: TokenForm): Anchor<Search>[] {
  return form.starts.map((start) => {
    const literal = start.replaceAll(/[^\w-]/g, "\\$&");
    const pattern = new RegExp(literal + form.rest, "y");
    return {
      text: start,
      visit: (search, text, at) => visitToken(search, text, at, { form, start, pattern }),
    };
  });
}

interface TokenSearch {
  readonly form: TokenForm;
  readonly start: string;
  readonly pattern: RegExp;
}

function visitToken(search: Search, text: string, at: number, token: TokenSearch) {
  const { form, start, pattern } = token;
  // This start lies inside the last token of the same form.
  if (at + start.length <= (search.ends?.get(form) ?? 0)) return;
  if (form.atWordStart === true && !isWordStart(text, at)) return;
  // The `n` of an escaped line end is not the start of `npm_`.
  if (escapeLength(text, at) > 0) return;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null || at >= 64 && BLOB.test(text.slice(at - 64, at))) return;
  const end = at + match[0].length;
  const from = match[1] === undefined ? at - (form.before ?? 0) : end - match[1].length;
  search.spans.push({ start: Math.max(0, from), end, name: form.name });
  search.ends ??= new Map();
  search.ends.set(form, end);
}

function urlAnchor(sign: string, isEncoded: boolean): Anchor<Search> {
  return {
    text: sign,
    ignoreCase: true,
    visit: (search, text, at) => {
      const scheme = /(["'`]?)[A-Za-z][\w+.-]{0,31}$/.exec(text.slice(Math.max(0, at - 34), at));
      add(search, findUrlPassword(text, at + sign.length, scheme?.[1] ?? "", isEncoded));
    },
  };
}

function visitPrivateKey(search: Search, text: string, at: number) {
  if (at < search.keyEnd) return;
  const span = findPrivateKey(text, at);
  if (span === null) return;
  search.spans.push(span);
  search.keyEnd = span.end;
}
