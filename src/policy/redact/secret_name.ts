import { secretOfHeader } from "./headers.ts";

/** A longer text is not the name of a field. */
const NAME_CHARACTERS_MAX = 80;
/** How many names are cached; later names are judged each time. */
const NAMES_MAX = 4_096;

/**
 * What a name says of its value.
 *
 * - `secret`: any text or number, however short.
 * - `token`: the same, but a small number is a count (`token: 3`).
 * - `tokens`: numbers are counts (`max_tokens: 4096`).
 * - `word`: texts only, since numbers under it are counts (`pass: 12, fail: 0`).
 * - `header`: texts that look like credentials, `Authorization` and `Cookie`.
 */
export type SecretNameKind = "secret" | "token" | "tokens" | "word" | "header";

/** Every name of a secret contains one of these. */
const HINT = /pass|pw|secret|token|key|credential|cookie|authorization|jwt|otp|psk|bearer/i;
/** Ends of names written as one word: `dbpassword`, `clientsecret`, `xapikey`. */
const SECRET_END = new RegExp(
  "(?:passwords?|passwds?|passwort|passphrases?|passcodes?|pwd|pass(?:wor|w)dhash|secrets?|credentials?" +
    "|(?:api|secret|private|accesskeysecret|secretaccess|sharedaccess|signing|signature|encryption" +
    "|decryption|master|shared|account|auth|subscription|application|hmac|license)keys?|privatekeypem|clientkeydata)$",
);
/** Secret only as the whole name, not as the end of a longer name. */
const SECRET_WHOLE: ReadonlySet<string> = new Set(["accesskey", "accesskeys", "awsaccesskey"]);
/** `pass` and `pw` after the thing that it opens, written as one word. */
const SHORT_PASSWORD =
  /^(?:admin|bind|db|ftp|imap|keystore|ldap|login|mail|mysql|pg|postgres|proxy|redis|root|smtp|ssh|sudo|user|wifi)(?:pass|pw)$/;
const SECRET_WORDS: ReadonlySet<string> = new Set(["pass", "pw", "psk", "jwt", "bearer"]);
const NUMBER_WORDS: ReadonlySet<string> = new Set(["otp", "totp"]);
const HEADERS: ReadonlySet<string> = new Set([
  ...["authorization", "proxyauthorization", "cookie", "setcookie"],
]);
const MEDIA_TYPE = /^(?:application|audio|image|message|model|multipart|text|video)\/[\w.+-]+$/;
/** Endings that do not change the meaning: `SecretString`, `tokenValue`, `passwordConfirmation`. */
const SAME_MEANING =
  /(?<=password|secret|secretkey|apikey|token)(?:binary|value|string|plaintext|confirm|confirmation|base)$/;
/**
 * Words before `token` that make it a position in a list, a count or a unit of a language model.
 */
const HARMLESS_TOKEN: ReadonlySet<string> = new Set([
  ...["page", "next", "nextpage", "prev", "previous", "continuation", "continue", "cursor", "sync"],
  ...["start", "starting", "resume", "delta", "skip", "pagination", "max", "min", "total", "num"],
  ...[
    "count",
    "per",
    "pad",
    "bos",
    "eos",
    "unk",
    "mask",
    "sep",
    "cls",
    "stop",
    "special",
    "prompt",
  ],
  ...["completion", "input", "output", "cancel", "cancellation", "progress"],
]);

/**
 * Whether a name promises a secret: `password`, `DB_PASSWORD`, `clientSecret`, `x-api-key`, `token`.
 *
 * The end of a name decides: `tokenCount`, `secretName` and `passwordPolicy` are not secrets.
 * Tokens of lists, such as `nextPageToken`, are not secrets either: programs send them to get the
 * next page.
 */
export function secretNameKind(name: string): SecretNameKind | null {
  if (name.length < 2 || name.length > NAME_CHARACTERS_MAX || !HINT.test(name)) return null;
  // Ignore marks: a name that was redacted before keeps its meaning.
  const words = name.replaceAll(/\[redacted:[^\]]*\]/g, " ").replaceAll(
    /([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g,
    "$1$3 $2",
  )
    .toLowerCase().split(/[^a-z0-9]+/);
  const whole = words.join("").replace(/\d+$/, "").replace(SAME_MEANING, "");
  if (HEADERS.has(whole)) return "header";
  // `ERR_TOKEN` is the name of an error, `application/jwt` that of a media type.
  if (/^err(?:or)?$/.test(words[0] ?? "") || MEDIA_TYPE.test(name)) return null;
  if (SECRET_END.test(whole) || SECRET_WHOLE.has(whole)) return "secret";
  if (whole.endsWith("tokens")) return "tokens";
  if (whole.endsWith("token")) {
    const split = words.findIndex((word) => /^token\d*$/.test(word));
    const before = split > 0 ? words[split - 1] : whole.slice(0, -"token".length);
    return HARMLESS_TOKEN.has(before ?? "") ? null : "token";
  }
  const last = words.findLast((word) => /[a-z]/.test(word))?.replace(/\d+$/, "") ?? "";
  if (NUMBER_WORDS.has(last)) return "secret";
  return SECRET_WORDS.has(last) || SHORT_PASSWORD.test(last) ? "word" : null;
}

/** Caches the kinds of names, which repeat in the rows of a table or the lines of a log. */
export function rememberNameKinds(): (name: string) => SecretNameKind | null {
  const kinds = new Map<string, SecretNameKind | null>();
  return (name) => {
    const known = kinds.get(name);
    if (known !== undefined) return known;
    const kind = secretNameKind(name);
    if (kinds.size < NAMES_MAX) kinds.set(name, kind);
    return kind;
  };
}

/** Whether a text or number under a name of this kind is redacted. */
export function isSecretValue(kind: SecretNameKind, value: string | number): boolean {
  if (value === "" || typeof value === "string" && HARMLESS_VALUE.test(value)) return false;
  switch (kind) {
    case "secret":
      return true;
    case "header":
      return typeof value === "string" && secretOfHeader(value, true) !== null;
    case "token":
      return !/^-?(?:\d{0,3}|\d*\.\d+(?:e-?\d+)?)$/.test(String(value));
    case "tokens":
      return !COUNT.test(String(value));
    case "word":
      return typeof value === "string";
  }
}

/** `4096`, `1,200`, `128e3`, `16k`. */
const COUNT = /^-?\d[\d.,_]{0,20}(?:e[+-]?\d{1,3})?[km]?$/i;
/** Names of token types, and the values of `credentials` in `fetch`. */
const HARMLESS_VALUE = /^(?:urn:ietf:|(?:same-origin|include|omit)$)/;
