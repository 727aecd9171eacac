/**
 * One analyser for tools and for queries: the search can only find terms that it makes of both.
 *
 * Names are split (`create_dns_record`, `createDnsRecord` and "create DNS record" are the same three
 * words), words with digits stay whole (`d1`, `r2`), Chinese, Japanese and Korean text becomes pairs
 * of characters, and a light stemmer joins singular and plural, `list` and `listing`.
 */

/** Words that do not help to tell tools apart. */
const STOP_WORDS = new Set(
  ("a an and are as at be been being but by can could did do does doing for from had has have " +
    "having he her here hers him his how i if in into is it its itself just me my myself no nor " +
    "not of off on once only or our ours out over own same she should so some such than that the " +
    "their theirs them then there these they this those through to too under until up very was " +
    "we were what when where which while who whom why will with would you your yours " +
    // Words of asking, which are not what the caller asks for.
    "please need want like also im ive id lets let us s t don tell know help using via am looking " +
    "provide give now more any interested currently wondering http https www").split(" "),
);

/** Longer texts are only analysed up to here: a bound on work. */
const TEXT_CHARS_MAX = 20_000;
const WORD_CHARS_MAX = 64;

const EAST_ASIAN = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]/;

/** The endings of "I'm", "don't", "user's". */
const CONTRACTION = /(?<=\p{L})['’](?:s|t|m|d|re|ve|ll)(?!\p{L})/giu;

/** Puts spaces between the words of an identifier. */
function splitIdentifier(text: string): string {
  return text.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, "$1 $2");
}

// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** The words of a text, lower case, without accents. */
export function splitWords(text: string): string[] {
  const head = text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) : text;
  return ASCII.test(head) ? splitAscii(head) : splitUnicode(head);
}

function splitUnicode(text: string): string[] {
  const folded = splitIdentifier(text.replace(CONTRACTION, " ")).toLowerCase().normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "");
  const words: string[] = [];
  for (const [word] of folded.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    if (EAST_ASIAN.test(word)) words.push(...pairs(word));
    else words.push(cutWord(word));
  }
  return words;
}

/** Does the same for ASCII, the larger part of every catalog, in half the time. */
function splitAscii(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  const end = (at: number) => {
    if (start >= 0) words.push(cutWord(text.slice(start, at).toLowerCase()));
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const before = text.charCodeAt(at - 1);
    if (!isLower(code) && !isUpper(code) && !isDigit(code)) {
      end(at);
      start = -1;
      if (code === 39 && (isLower(before) || isUpper(before))) {
        at += contractionLength(text, at + 1);
      }
    } else if (start < 0) {
      start = at;
    } else if (isUpper(code) && !isUpper(before)) {
      end(at);
      start = at;
    } else if (
      isLower(code) && isUpper(before) && isUpper(text.charCodeAt(at - 2)) && at - 1 > start
    ) {
      // The last of several capitals begins the next word: HTTPServer.
      end(at - 1);
      start = at - 1;
    }
  }
  end(text.length);
  return words;
}

function contractionLength(text: string, at: number): number {
  const match = /^(?:s|t|m|d|re|ve|ll)(?![a-z])/i.exec(text.slice(at, at + 3));
  return match === null ? 0 : match[0].length;
}

function cutWord(word: string): string {
  return word.length > WORD_CHARS_MAX ? word.slice(0, WORD_CHARS_MAX) : word;
}

function isLower(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function pairs(word: string): string[] {
  const characters = [...word];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}

/** The terms of a text, in order, repeated as often as they occur. */
export function analyze(text: string): string[] {
  const terms: string[] = [];
  for (const word of splitWords(text)) if (!STOP_WORDS.has(word)) terms.push(stem(word));
  return terms;
}

const STEMS_MAX = 20_000;

/**
 * `analyze` for many texts in a row, with a memory for stems. Not for queries: callers must not be
 * able to fill that memory.
 */
export function createAnalyzer(): (text: string) => string[] {
  const stems = new Map<string, string>();
  return (text) => {
    const terms: string[] = [];
    for (const word of splitWords(text)) {
      if (STOP_WORDS.has(word)) continue;
      let term = stems.get(word);
      if (term === undefined) {
        if (stems.size >= STEMS_MAX) stems.clear();
        stems.set(word, term = stem(word));
      }
      terms.push(term);
    }
    return terms;
  };
}

const VOWEL = /[aeiouy]/;
const DOUBLED = /([bdgmnprt])\1$/;

/**
 * Removes the endings of English plurals and verb forms, and of nouns made of verbs (eviction,
 * verification, calculator). Short words and words with digits stay.
 */
export function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word;
  let root = word;
  if (root.endsWith("ies") && root.length > 4) root = `${root.slice(0, -3)}y`;
  else if (root.endsWith("sses")) root = root.slice(0, -2);
  else if (/(x|ch|sh|z)es$/.test(root)) root = root.slice(0, -2);
  else if (root.endsWith("s") && !/(ss|us|is)$/.test(root)) root = root.slice(0, -1);
  root = withoutNounEnding(withoutVerbEnding(root));
  if (root.length > 4 && root.endsWith("e")) root = root.slice(0, -1);
  if (root.length > 4 && root.endsWith("y")) root = `${root.slice(0, -1)}i`;
  return root;
}

function withoutNounEnding(word: string): string {
  if (word.endsWith("ification")) return word.slice(0, -6);
  for (const ending of ["ation", "ator", "ate"]) {
    if (word.endsWith(ending) && word.length - ending.length >= 5) {
      return word.slice(0, -ending.length);
    }
  }
  if (/[st]ion$/.test(word) && word.length >= 8) return word.slice(0, -3);
  return word.endsWith("tor") && word.length >= 7 ? word.slice(0, -2) : word;
}

function withoutVerbEnding(word: string): string {
  for (const [ending, lengthMin] of [["ing", 6], ["ed", 5]] as const) {
    if (!word.endsWith(ending) || word.length < lengthMin || word.endsWith("eed")) continue;
    const root = word.slice(0, -ending.length);
    if (!VOWEL.test(root)) continue;
    return DOUBLED.test(root) ? root.slice(0, -1) : root;
  }
  return word;
}

/** A name as one word, for the comparison of whole names: `orders.list` and `OrdersList` are equal. */
export function joinName(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}
