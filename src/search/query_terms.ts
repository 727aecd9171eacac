import { isStopWord, splitWords, stem } from "./analyze.ts";
import type { QueryTerm } from "./scoring.ts";
import { isCorrectable, isOneEdit, type Vocabulary } from "./spelling.ts";

/**
 * Reads the terms of a query: its words as the index knows them.
 *
 * A word that no visible tool has is corrected, or split where a space is missing. Two words that
 * tools write as one ("time zone") are also tried as one.
 */
export interface QueryReader {
  /** The terms of a part of the query, in order, with repeats. */
  terms(part: string): string[];
  /** Each term once, with its weight, and terms of two neighbouring words joined. */
  weighted(part: string): QueryTerm[];
}

/** The terms of the index, as one caller sees them. */
export interface Lexicon {
  /** How many visible tools have a term. */
  readonly frequency: (term: string) => number;
  /** Whether any tool has the term, visible or not: an answer must not depend on this alone. */
  readonly has: (term: string) => boolean;
  readonly vocabulary: () => Vocabulary;
}

const TERMS_MAX = 128;
/** Words looked up in the vocabulary: a bound on the work that nonsense can cause. */
const UNKNOWN_WORDS_MAX = 32;
/** Times the logarithm of how often a query has a word: what repeats add to its weight. */
const REPEAT_WEIGHT = 0.25;
/** Numbers in a query are mostly values, seldom a part of a tool's name. */
const NUMBER_WEIGHT = 0.5;
const JOINED_WEIGHT = 0.7;
const JOINED_LENGTH_MIN = 6;

export function createQueryReader(lexicon: Lexicon): QueryReader {
  /** Word to its terms; more than one if the word was split. */
  const read = new Map<string, readonly string[]>();
  let unknown = 0;

  function termsOf(word: string): readonly string[] {
    const known = read.get(word);
    if (known !== undefined) return known;
    const terms = isStopWord(word) ? [] : look(word);
    read.set(word, terms);
    return terms;
  }

  function look(word: string): readonly string[] {
    const term = stem(word);
    if (!isCorrectable(word) || lexicon.frequency(term) > 0) return [term];
    if (++unknown > UNKNOWN_WORDS_MAX) return [term];
    return correct(lexicon, word, term) ?? takeApart(lexicon, word) ?? [term];
  }

  const terms = (part: string) => splitWords(part).flatMap(termsOf).slice(0, TERMS_MAX);

  return {
    terms,
    weighted(part) {
      const counts = new Map<string, number>();
      for (const term of terms(part)) counts.set(term, (counts.get(term) ?? 0) + 1);
      const weighted = [...counts].map(([term, count]): QueryTerm => ({
        term,
        weight: (1 + REPEAT_WEIGHT * Math.log(count)) * (/^\d+$/.test(term) ? NUMBER_WEIGHT : 1),
      }));
      for (const term of joinedTerms(lexicon, part)) {
        if (!counts.has(term)) weighted.push({ term, weight: JOINED_WEIGHT });
      }
      return weighted;
    },
  };
}

/** The most frequent visible term that is one edit away. */
function correct(lexicon: Lexicon, word: string, term: string): readonly string[] | null {
  let best: string | null = null;
  let highest = 0;
  for (const candidate of candidates(lexicon, word, term)) {
    const frequency = lexicon.frequency(candidate);
    if (frequency === 0 || frequency < highest) continue;
    if (frequency > highest || best === null || candidate < best) best = candidate;
    highest = frequency;
  }
  return best === null ? null : [best];
}

const ENDINGS = ["s", "es", "ed", "ing", "e", "er"] as const;

/** Known terms near a word or its stem; also terms whose ending has the mistake. */
function* candidates(lexicon: Lexicon, word: string, term: string): Generator<string> {
  const vocabulary = lexicon.vocabulary();
  yield* vocabulary.near(term);
  if (word !== term) yield* vocabulary.near(word);
  for (const ending of ENDINGS) {
    for (const cut of [ending.length - 1, ending.length, ending.length + 1]) {
      const root = word.slice(0, word.length - cut);
      if (root.length >= 3 && lexicon.has(root) && isOneEdit(word, root + ending)) yield root;
    }
  }
}

/** Splits "historyof" to "history". */
function takeApart(lexicon: Lexicon, word: string): readonly string[] | null {
  for (let at = 3; at <= word.length - 2; at++) {
    const parts = [word.slice(0, at), word.slice(at)];
    if (!parts.every((part) => isStopWord(part) || lexicon.frequency(stem(part)) > 0)) continue;
    const terms = parts.filter((part) => !isStopWord(part)).map(stem);
    if (terms.length > 0) return terms;
  }
  return null;
}

/** Terms for neighbouring words that tools write as one. */
function joinedTerms(lexicon: Lexicon, part: string): string[] {
  const words = splitWords(part).slice(0, TERMS_MAX);
  const joined = new Set<string>();
  for (let index = 1; index < words.length; index++) {
    const term = stem(`${words[index - 1]}${words[index]}`);
    if (term.length >= JOINED_LENGTH_MIN && lexicon.has(term)) joined.add(term);
  }
  return [...joined].filter((term) => lexicon.frequency(term) > 0);
}
