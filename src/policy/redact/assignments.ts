import { isFieldSchema, isLabel, isSchemaWord } from "./field_schema.ts";
import { secretOfHeader } from "./headers.ts";
import { isSecretValue, type SecretNameKind } from "./secret_name.ts";
import type { Span } from "./span.ts";

/** Words at the end of names of secrets; the search examines each place of such a word. */
export const NAME_WORDS: readonly string[] = [
  ...["pass", "pwd", "secret", "token", "key", "credential", "cookie", "authorization"],
  ...["jwt", "otp", "psk", "bearer"],
];

const NAME_MAX = 80;
/** The search reads at most this much of a quoted value, a line, a list or an object. */
const VALUE_MAX = 16_384;

/** Colour codes of a terminal, raw and as JSON and other texts escape them. */
const COLOURS =
  // deno-lint-ignore no-control-regex -- a colour code begins with one
  /(?:(?:\x1b|\\{1,8}(?:u001[bB]|x1[bB]|033|e))\[[\d;]{0,16}m){0,2}/;
/** The text between a name and its value: the closing quote, `]`, and `=`, `:`, `=>` or similar. */
const DELIMITER = new RegExp(
  [
    /(?:(\\*["'`]|%22|&quot;|&#3[49];|\\+u0022)[\])]{0,2})?/,
    COLOURS,
    /[ \t]{0,16}(?:=>|:=|==?=?|\??::?|%3[AaDd])(?:\\[nrt]|[ \t\n\r]){0,64}/,
    COLOURS,
  ].map(({ source }) => source).join(""),
  "y",
);
/** The same for `{"name": "DB_PASSWORD", "value": "…"}`, attributes of HTML and two lines of YAML. */
const VALUE_OF_NAMED =
  /(?:\\*["'][ \t]{0,16},?[ \t]{0,16}|(?:\r?\n|\\n)[ \t]{0,32})(?:\\*["'])?[Vv]alue(?:\\*["'])?[ \t]{0,16}[:=][ \t]{0,16}/y;
/** Quotes of a JSON text within a URL, an HTML page, or another JSON text. */
const ENCODED_QUOTE = /%22|&quot;|&#3[49];|\\+u0022/y;
const QUOTE = /\\*["'`]/y;
const NUMBER = /-?\d[\d.eE+-]*(?=[ \t\r\n\\]*(?:[,}\]]|$))/y;
/** Words in the place of a secret that are not secrets: types, states and masks. */
const PLACEHOLDER =
  /^(?:string|str|number|int|integer|boolean|bool|any|object|bytes|text|none|null|nil|undefined|unknown|true|false|yes|no|on|off|required|optional|empty|unset|missing|invalid|expired|hidden|masked|redacted|changed|default|secretstr|buffer|uint8array|arraybuffer|cryptokey|<.*|\*+|x{3,}|\.{2,}|-+|\[redacted.*|\$\{.*|\$\(.*|\{\{.*|%[A-Za-z_]+%|\$[A-Z_]+)[-.,;:!?)]*$/i;
/** Formats that a program fills in: `%s:%s`, `{0}`, `${user}.key`. */
const FORMAT = /^(?:%[a-z]|\{\w{0,32}\}|\$\{[^}]{0,64}\}|[:/ ])+$/;
/** Code that reads a value: `getenv("X")`, `config.token`, `process.env.TOKEN`. */
const CALL = /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*[(\[]/;
const PROPERTY = /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$/;

export interface AssignmentState {
  readonly kindOf: (name: string) => SecretNameKind | null;
  /** The search does not examine names before this offset again. */
  nameLimit: number;
}

/**
 * Finds the values under the name of a secret in a text. `at` is the offset of a word of the name:
 * `"password": "…"` at any level of quoting, `DB_PASSWORD=…`, `x-api-key: …`, `--token …`.
 */
export function findAssigned(text: string, at: number, state: AssignmentState): Span[] {
  if (at < state.nameLimit) return [];
  const end = endOfName(text, at);
  if (end < 0) return [];
  const start = startOfName(text, at);
  state.nameLimit = end;
  const place = valuePlace(text, start, end);
  if (place === null) return [];
  // A part of a media type or of a path: `"application/jwt": …`.
  if (
    place.nameQuote !== "" &&
    /(?:application\/|\+)$/.test(text.slice(Math.max(0, start - 12), start))
  ) {
    return [];
  }
  // This is the user of a URL: `findUrlPassword` finds the password.
  if (text.startsWith("://", start - 3) && place.delimiter === ":") return [];
  const name = text.slice(start, end);
  // An escaped line end before a name adds one letter at its start. Only the end of a name decides.
  const kind = state.kindOf(name) ?? (isKeyOfWords(text, start, end) ? "secret" : null);
  if (kind === null) return [];
  const { spans, reached } = readValue(text, { ...place, kind, start, end });
  state.nameLimit = Math.max(state.nameLimit, reached);
  return spans;
}

/** The values under a name, and how far the search read the text for them. */
interface AssignedValue {
  readonly spans: Span[];
  readonly reached: number;
}

function assigned(spans: Span[]): AssignedValue {
  return { spans, reached: spans.at(-1)?.end ?? 0 };
}

/** `API key: …`, in words. */
function isKeyOfWords(text: string, start: number, end: number): boolean {
  return end - start === 3 &&
    /\b(?:api|secret|access|private|signing|encryption) $/i.test(
      text.slice(Math.max(0, start - 12), start),
    );
}

interface ValuePlace {
  readonly at: number;
  /** The quote after the name, with its backslashes; "" if there is none. */
  readonly nameQuote: string;
  readonly delimiter: string;
}

interface NamedPlace extends ValuePlace {
  readonly kind: SecretNameKind;
  /** Of the name. */
  readonly start: number;
  readonly end: number;
}

function valuePlace(text: string, start: number, end: number): ValuePlace | null {
  DELIMITER.lastIndex = end;
  const match = DELIMITER.exec(text);
  if (match !== null) {
    const nameQuote = match[1] ?? "";
    // Only JSON may have the value on the next line.
    const delimiter = match[0];
    if (nameQuote === "" && /[\n\r]|\\[nrt]/.test(delimiter)) return null;
    if (nameQuote !== "" && isChoice(text, start)) return null;
    return { at: end + delimiter.length, nameQuote, delimiter };
  }
  VALUE_OF_NAMED.lastIndex = end;
  const named = VALUE_OF_NAMED.exec(text);
  if (named !== null) {
    const nameQuote = /^\\*["']/.exec(named[0])?.[0] ?? "";
    return { at: end + named[0].length, nameQuote, delimiter: "=" };
  }
  if (text[end] === ">" && /<(?:[\w-]{1,32}:)?$/.test(text.slice(Math.max(0, start - 40), start))) {
    return { at: end + 1, nameQuote: "", delimiter: ">" };
  }
  const isOption = text.startsWith("--", start) && /^ {1,4}[^\s-]/.test(text.slice(end, end + 6));
  if (!isOption) return null;
  return { at: end + text.slice(end, end + 5).search(/[^ ]|$/), nameQuote: "", delimiter: "=" };
}

/** The first text of `is ? "no token" : "a token"`. */
function isChoice(text: string, start: number): boolean {
  return /\?[ \t]{0,8}\\*["'`][^"'`]{0,64}$/.test(text.slice(Math.max(0, start - 88), start));
}

function readValue(text: string, place: NamedPlace): AssignedValue {
  const { at, kind, nameQuote } = place;
  if (text.startsWith("[redacted:", at)) return assigned([]);
  ENCODED_QUOTE.lastIndex = at;
  const encoded = ENCODED_QUOTE.exec(text)?.[0];
  if (encoded !== undefined) {
    return assigned(readEncoded(text, at + encoded.length, encoded, kind));
  }
  QUOTE.lastIndex = at;
  const quote = QUOTE.exec(text)?.[0];
  if (quote !== undefined && place.delimiter !== ">") {
    return assigned(readQuoted(text, at + quote.length, quote, place));
  }
  if (nameQuote !== "" && /^[\[{]/.test(text.slice(at, at + 1))) {
    return kind === "header" ? assigned([]) : readContainer(text, at, nameQuote, kind);
  }
  NUMBER.lastIndex = at;
  const number = nameQuote === "" ? undefined : NUMBER.exec(text)?.[0];
  if (number === undefined) return assigned(readBare(text, place));
  const isSecret = kind !== "header" && isSecretValue(kind, Number(number));
  return assigned(isSecret ? [secretSpan(at, at + number.length, nameQuote)] : []);
}

function readEncoded(text: string, from: number, quote: string, kind: SecretNameKind): Span[] {
  const window = text.slice(from, from + VALUE_MAX);
  const end = window.indexOf(quote);
  const value = window.slice(0, Math.max(0, end));
  if (/["\r\n]/.test(value) || !isSecretValue(kind, value)) return [];
  return [secretSpan(from, from + end)];
}

function readQuoted(text: string, from: number, quote: string, place: NamedPlace): Span[] {
  const end = endOfQuoted(text, from, quote);
  const value = quote.endsWith('"') ? text.slice(from, end) : beforeBoundary(text.slice(from, end));
  if (value.startsWith("[redacted:") && value.endsWith("]")) return [];
  // This quote ends the text that the name stands in: `["password=", "x"]`, `ask("Password:")`.
  const isStart = text.startsWith(quote, place.start - quote.length);
  if (place.nameQuote === "" && (isStart || /^\s*(?:[,:\]}]|$)/.test(value))) return [];
  if (FORMAT.test(value)) return [];
  if (place.kind === "header") return headerSpans(from, value, true);
  return isSecretValue(place.kind, value) ? [secretSpan(from, from + value.length)] : [];
}

/** Cuts a value where the JSON text around it continues: a mark must not remove its quotes. */
function beforeBoundary(value: string): string {
  const found = value.search(/\\*"\s*[,:\]}]|[,:[{]\s*\\*"|\\*"\s*\\*"|\\*"$/);
  return found < 0 ? value : value.slice(0, found);
}

/** Keeps the scheme of a header, so that a reader sees the kind of the secret. */
function headerSpans(at: number, value: string, isField: boolean): Span[] {
  const place = secretOfHeader(value, isField);
  if (place === null || PLACEHOLDER.test(value.slice(place.start, place.end))) return [];
  return [secretSpan(at + place.start, at + place.end)];
}

/** Backslashes before a quote of a JSON text, of a JSON text inside that text, and so on. */
const QUOTE_LEVELS = [0, 1, 3, 7, 15];

/** Where the content of a quoted text ends: at the quote with as many backslashes as it began with. */
function endOfQuoted(text: string, from: number, quote: string): number {
  const level = quote.length - 1;
  const sign = quote.slice(-1);
  const bound = Math.min(text.length, from + VALUE_MAX);
  for (let at = text.indexOf(sign, from); at >= 0 && at < bound; at = text.indexOf(sign, at + 1)) {
    let backslashes = 0;
    while (at - 1 - backslashes >= from && text[at - 1 - backslashes] === "\\") backslashes++;
    // The quote of an outer text ends the inner text too.
    const ending = QUOTE_LEVELS.find((outer) =>
      outer < level && backslashes % (2 * (outer + 1)) === outer
    ) ?? level;
    if (backslashes % (2 * (ending + 1)) === ending) return at - ending;
  }
  // A value without a closing quote ends with its line, or with the text around it.
  const line = text.slice(from, bound).search(sign === '"' ? /[\r\n]/ : /[\r\n]|\\*"/);
  return line < 0 ? bound : from + line;
}

/** Takes every text and number of a list or object; names and words of a field schema stay. */
function readContainer(
  text: string,
  at: number,
  quote: string,
  kind: SecretNameKind,
): AssignedValue {
  const spans: Span[] = [];
  const described: Span[] = [];
  const bound = Math.min(text.length, at + VALUE_MAX);
  let depth = 0;
  let name = "";
  let isSchema = false;
  let index = at;
  while (index < bound) {
    const character = text[index] ?? "";
    if (text.startsWith(quote, index)) {
      const from = index + quote.length;
      const end = endOfQuoted(text, from, quote);
      const value = text.slice(from, end);
      index = end + quote.length;
      if (/^[ \t\r\n]*:/.test(text.slice(index, index + 8))) {
        name = value;
        continue;
      }
      if (depth === 1) {
        isSchema ||= name === "type" && isFieldSchema(value, null) ||
          name === "$ref" && isFieldSchema(null, value);
      }
      if (end > from && !isLabel(name)) {
        (isSchemaWord(name) ? described : spans).push(secretSpan(from, end));
      }
      continue;
    }
    if ("[{".includes(character)) depth++;
    if ("]}".includes(character) && --depth === 0) break;
    NUMBER.lastIndex = index;
    const number = /[\d-]/.test(character) ? NUMBER.exec(text)?.[0] : undefined;
    if (number !== undefined && isSecretValue(kind, Number(number))) {
      const span = secretSpan(index, index + number.length, quote);
      (isSchemaWord(name) ? described : spans).push(span);
    }
    index += number?.length ?? 1;
  }
  return { spans: isSchema ? spans : [...spans, ...described], reached: index };
}

/** A value without quotes: of a shell, an INI file, a query, a header, a connection string. */
function readBare(text: string, place: NamedPlace): Span[] {
  const { at, kind, delimiter } = place;
  const window = text.slice(at, at + VALUE_MAX);
  const block = endOfBlock(window, text, place);
  if (block > 0) return [secretSpan(at, at + block)];
  const list = /^[[{]([^\]}\r\n"'`\\]{1,1024})[\]}]/.exec(window);
  if (list !== null && !window.startsWith("{{")) return bareList(at, kind, list);
  const run = bareRun(text, place).exec(window)?.[0] ?? "";
  const value = delimiter === ">"
    ? beforeBoundary(run)
    : kind === "header"
    ? run
    : withoutNext(text, place, run).replace(/[,;.)}\]]+$/, "");
  if (!/[^[\](){}]/.test(value) || PLACEHOLDER.test(value) || CALL.test(value)) return [];
  const isLine = isWholeLine(text, place, at + run.length);
  if (PROPERTY.test(value) && !(delimiter.trim() === ":" && isLine)) return [];
  if (place.nameQuote !== "" && /^(?:true|false|null)/.test(value)) return [];
  if (kind === "header") return headerSpans(at, value, false);
  if (!isSecretValue(kind, value) || isCode(text, place, value, run)) return [];
  if (/\s/.test(delimiter) && !looksRandom(value) && !isLine) {
    return [];
  }
  return [secretSpan(at, at + value.length)];
}

/** Cuts `secret=a&next=b` and `Pwd=a;Uid=b` before the next name; a shell variable goes on. */
function withoutNext(text: string, { start, end }: NamedPlace, run: string): string {
  if (/^[A-Z0-9_]+$/.test(text.slice(start, end))) return run;
  return run.replace(/[&;][\w.-]{1,64}=.*$/s, "");
}

/** `[one, two]` and `{ name: value }` of YAML. */
function bareList(at: number, kind: SecretNameKind, [whole, list = ""]: RegExpExecArray): Span[] {
  const isCounts = kind !== "secret" && /^[\d.,\s-]*$/.test(list);
  const isOfCode = /\.\.\.|\(/.test(list) || whole.startsWith("{") && !list.includes(":");
  return isCounts || isOfCode ? [] : [secretSpan(at + 1, at + 1 + list.length)];
}

/** Code: arguments (`password=password,`), types (`credentials: Credentials,`), patterns. */
function isCode(text: string, place: NamedPlace, value: string, run: string): boolean {
  const { at, start, end, delimiter } = place;
  const next = text[at + value.length] ?? "";
  if (value === text.slice(start, end) && /[,)]/.test(next)) return true;
  if (!/\s/.test(delimiter)) return false;
  const isWord = /^[A-Za-z_$][A-Za-z_$]*$/.test(value);
  if (isWord && (run !== value || delimiter.includes("=") && isOfProgram(text, place))) return true;
  return /^!?\/[^/]*[[(^\\]/.test(value);
}

/** `self.password = word`, and `token = word`: a token is not a word. */
function isOfProgram(text: string, { start, end, kind }: NamedPlace): boolean {
  return kind === "token" || kind === "tokens" ||
    /^(?:self|this)\./.test(text.slice(start, end)) ||
    /(?:^|\W)(?:const|let|var|my|val) $/.test(text.slice(Math.max(0, start - 8), start));
}

/**
 * Length of a YAML block: `|` or `>`, then the lines with more indentation; 0 if it is not a block.
 */
function endOfBlock(window: string, text: string, { start }: NamedPlace): number {
  const head = /^[|>][+-]?\d?[ \t]*\r?\n/.exec(window);
  if (head === null) return 0;
  const line = text.slice(Math.max(0, start - 256), start);
  const indent = /(?:^|\n)([ \t]*)(?:- )?$/.exec(line)?.[1]?.length ?? 0;
  const lines = new RegExp(`^(?:[ \\t]{${indent + 1},}[^\\n]*(?:\\n|$)|[ \\t]*\\r?\\n)*`)
    .exec(window.slice(head[0].length))?.[0] ?? "";
  return lines.trim() === "" ? 0 : head[0].length + lines.trimEnd().length;
}

function bareRun(text: string, { start, end, kind, delimiter }: NamedPlace): RegExp {
  if (kind === "header") return /^[^\r\n]+/;
  if (delimiter === ">") return /^[^<\r\n]+(?=<\/)/;
  if (delimiter.startsWith("%")) return /^(?:[^\s&"'<>\\%]|%(?!26|0A|0D|22|2C|7D)[0-9A-Fa-f]{2})+/;
  const before = text.slice(Math.max(0, start - 12), start);
  if (/[?&]$/.test(before)) return /^[^\s&#"'<>\\]+/;
  if (/;[ \t]*$/.test(before) && delimiter.startsWith("=")) return /^[^;"'\r\n\\]+/;
  if (delimiter === ":") return /^(?:[^\s"'`<>\\,;&)}\]]|\\(?![nrtu"'\\/]))+/;
  const isVariable = /^[A-Z0-9_]+$/.test(text.slice(start, end).replace(/^[nrt](?=[A-Z])/, ""));
  if (isVariable || /(?:^|[\r\n])(?:export )?$/.test(before) || delimiter.trim() === ":") {
    return /^(?:[^\s"'`\\<]|\\(?![nrtu"'\\/]))+/;
  }
  return /^(?:[^\s"'`<>\\,;&)}\]]|\\(?![nrtu"'\\/]))+/;
}

/** Prose continues with words, so a value inside prose must contain a digit or a sign. */
function looksRandom(value: string): boolean {
  return value.length >= 4 && (/\d/.test(value) || /[^\w.,:'’()/-]/.test(value)) &&
    !/^https?:\/\//.test(value);
}

/** `password: word` with nothing else on its line. */
function isWholeLine(text: string, { start }: NamedPlace, end: number): boolean {
  const before = text.slice(Math.max(0, start - 24), start);
  const after = text.slice(end, end + 24);
  return /(?:^|[\r\n]|\\n)[ \t]*(?:- |export )?$/.test(before) &&
    /^[ \t]*(?:#.*)?(?:$|[\r\n]|\\n|\\r|"|')/.test(after);
}

function secretSpan(start: number, end: number, quote?: string): Span {
  return quote === undefined
    ? { start, end, name: "secret" }
    : { start, end, name: "secret", quote };
}

/** Letters, digits, `_`, `-` and `.`. */
const NAME_CODES = Uint8Array.from(
  { length: 128 },
  (_, code) => /[\w.-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

function isNameCode(code: number): boolean {
  return NAME_CODES[code] === 1;
}

/** End of the name that contains the word at `at`; -1 if the name is too long. */
function endOfName(text: string, at: number): number {
  let end = at;
  while (end - at <= NAME_MAX && isNameCode(text.charCodeAt(end))) end++;
  return end - at > NAME_MAX ? -1 : end;
}

function startOfName(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < NAME_MAX && isNameCode(text.charCodeAt(start - 1))) start--;
  return start;
}
