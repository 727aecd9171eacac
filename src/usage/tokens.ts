/**
 * The length of a text in `o200k` tokens.
 *
 * `estimateTokens` counts runs of characters with weights that were fitted to the tokenizer: within
 * 15 % for prose, JSON, TypeScript and tables of rows (a quarter of the characters is off by up to
 * 60 %), at 100 MB/s, without the tokenizer's 60 MB of tables. Limits and meters use it.
 * `countTokens` is exact and loads the tables at its first use; published figures use it.
 */

/** Longer texts are measured by samples. */
const SAMPLED_CHARS_MIN = 1_048_576;
const SAMPLES = 64;
const SAMPLE_CHARS = 8_192;

/** Tokens for: a word, a letter after a word's sixth, a letter after a run's 24th, and so on. */
const WORD = 1.04;
const LONG_LETTER = 0.033;
const VERY_LONG_LETTER = 0.09;
const DIGIT_GROUP = 1.19;
const PUNCTUATION_RUN = 0.7;
const PUNCTUATION_MORE = 0.185;
const LINE_BREAK = -0.27;
const WIDE_SPACE = 1.84;
const EAST_ASIAN = 0.67;
const OTHER = 1.21;

/** About the number of tokens; 0 for an empty text, else at least 1. */
export function estimateTokens(text: string): number {
  if (text === "") return 0;
  if (text.length < SAMPLED_CHARS_MIN) return Math.max(1, Math.round(measure(text)));
  const step = Math.floor((text.length - SAMPLE_CHARS) / (SAMPLES - 1));
  let sum = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    sum += measure(text.slice(sample * step, sample * step + SAMPLE_CHARS));
  }
  return Math.round((sum * text.length) / (SAMPLES * SAMPLE_CHARS));
}

function measure(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (isLetter(code)) {
      const end = endOf(text, at, isLetter);
      tokens += measureLetters(text, at, end);
      at = end;
    } else if (isDigit(code)) {
      const end = endOf(text, at, isDigit);
      tokens += DIGIT_GROUP * Math.ceil((end - at) / 3);
      at = end;
    } else if (isSpace(code)) {
      const end = endOf(text, at, isSpace);
      if (end - at > 1) tokens += WIDE_SPACE;
      at = end;
    } else if (isLineBreak(code)) {
      tokens += LINE_BREAK;
      at = endOf(text, at, isLineBreak);
    } else if (code < 128) {
      const end = endOf(text, at, isPunctuation);
      tokens += PUNCTUATION_RUN + PUNCTUATION_MORE * (end - at - 1);
      at = Math.max(end, at + 1);
    } else {
      tokens += code >= 0x2e80 && code <= 0xd7ff ? EAST_ASIAN : OTHER;
      at++;
    }
  }
  return tokens;
}

/** A run of letters: words begin where a capital follows a small letter. */
function measureLetters(text: string, from: number, to: number): number {
  let tokens = 0;
  let start = from;
  for (let at = from + 1; at <= to; at++) {
    const isWordEnd = at === to || (isCapital(text.charCodeAt(at)) &&
      !isCapital(text.charCodeAt(at - 1)));
    if (!isWordEnd) continue;
    tokens += WORD + LONG_LETTER * Math.max(0, at - start - 6);
    start = at;
  }
  return tokens + VERY_LONG_LETTER * Math.max(0, to - from - 24);
}

function endOf(text: string, from: number, is: (code: number) => boolean): number {
  let at = from;
  while (at < text.length && is(text.charCodeAt(at))) at++;
  return at;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

function isLineBreak(code: number): boolean {
  return code === 10 || code === 13;
}

function isPunctuation(code: number): boolean {
  return code > 32 && code < 128 && !isLetter(code) && !isDigit(code);
}

/** The tokenizer needs seconds for one text of 60,000 equal letters, so it gets small chunks. */
const CHUNK_CHARS = 2_048;
const CHUNKS_PER_SLICE = 64;

/** The exact number of tokens. Lets other work run between slices. */
export async function countTokens(text: string): Promise<number> {
  const { countTokens: count } = await import("gpt-tokenizer/encoding/o200k_base");
  let tokens = 0;
  for (let from = 0, chunk = 0; from < text.length; from += CHUNK_CHARS, chunk++) {
    if (chunk % CHUNKS_PER_SLICE === CHUNKS_PER_SLICE - 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    tokens += count(text.slice(from, from + CHUNK_CHARS));
  }
  return tokens;
}
