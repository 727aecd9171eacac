import { BREAK } from "./segment.ts";
import { contributions, type RankedDocument, type Scores } from "./scoring.ts";
import { compareScored } from "./top_scores.ts";
import { verbFit } from "./verb_class.ts";

/**
 * The second step of the ranking. These functions only read the few candidates of the first step.
 */

const VERB_WEIGHT = 0.05;
const NAME_WEIGHT = 0.15;
const PAIR_WEIGHT = 0.1;

/**
 * Changes each score by how well the tool fits beyond its words: the class of its verb, the part of
 * its name that the query has, and words that are neighbours in both.
 *
 * @param sequence the query's terms in order.
 * @param verbs the classes that the query may mean.
 */
export function applyFit(
  documents: readonly RankedDocument[],
  scores: Scores,
  sequence: readonly string[],
  verbs: number,
): void {
  const places = new Map(scores.terms.map(({ term }, index) => [term, index]));
  const pairs = new Set<number>();
  for (let index = 1; index < sequence.length; index++) {
    const first = places.get(sequence[index - 1] ?? "");
    const second = places.get(sequence[index] ?? "");
    if (first !== undefined && second !== undefined && first !== second) {
      pairs.add(pairKey(first, second));
    }
  }
  const rowsBySegment = new Map<unknown, ReadonlyMap<number, number>>();
  for (const document of documents) {
    const { segment } = document;
    let rows = rowsBySegment.get(segment);
    if (rows === undefined) {
      const list = scores.postings.get(segment) ?? [];
      rowsBySegment.set(segment, rows = new Map(list.map(({ row, term }) => [row, term])));
    }
    const { name, pair } = readSequence(document, rows, pairs, scores);
    const verb = verbFit(verbs, segment.verbs[document.tool] ?? 0);
    document.score = document.score * (1 + VERB_WEIGHT * verb + NAME_WEIGHT * name) +
      PAIR_WEIGHT * pair;
  }
}

function pairKey(a: number, b: number): number {
  return a < b ? a * 4_096 + b : b * 4_096 + a;
}

/** The share of the name's words that the query has, and the weight of pairs of neighbours. */
function readSequence(
  document: RankedDocument,
  rows: ReadonlyMap<number, number>,
  pairs: ReadonlySet<number>,
  scores: Scores,
): { name: number; pair: number } {
  const { sequence, sequenceStarts } = document.segment;
  const from = sequenceStarts[document.tool] ?? 0;
  const to = sequenceStarts[document.tool + 1] ?? 0;
  const seen = new Set<number>();
  const found = new Set<number>();
  let named = 0;
  let name = -1;
  let before: number | undefined;
  for (let index = from; index < to; index++) {
    const row = sequence[index] ?? BREAK;
    const term = row === BREAK ? undefined : rows.get(row);
    if (row === BREAK && name < 0) name = seen.size === 0 ? 0 : named / seen.size;
    if (name < 0 && !seen.has(row)) {
      seen.add(row);
      if (term !== undefined) named++;
    }
    if (term !== undefined && before !== undefined && term !== before) {
      const key = pairKey(term, before);
      if (pairs.has(key)) found.add(key);
    }
    before = term;
  }
  let pair = 0;
  for (const key of found) {
    const first = scores.terms[Math.floor(key / 4_096)]?.factor ?? 0;
    const second = scores.terms[key % 4_096]?.factor ?? 0;
    pair += first + second;
  }
  return { name: Math.max(name, 0), pair };
}

const SPREAD_CANDIDATES = 30;
const SPREAD_PLACES = 12;
/** The part of a word's weight that is left for later places, for each tool above with the word. */
const REPEAT_DISCOUNT = 0.975;

/**
 * Orders the first places so that together they have more of the query's words: a request for two
 * things should not get only variants of one.
 *
 * @param documents best first; reordered in place.
 */
export function spread(documents: RankedDocument[], scores: Scores): void {
  const left = documents.slice(0, SPREAD_CANDIDATES).map((document) => {
    const parts = contributions(scores, document);
    const sum = parts.reduce((total, part) => total + part, 0);
    return { document, parts, scale: sum > 0 ? document.score / sum : 0 };
  });
  const kept = new Float64Array(scores.terms.length).fill(1);
  const places = Math.min(SPREAD_PLACES, left.length);
  for (let place = 0; place < places; place++) {
    let best = 0;
    let highest = -1;
    for (const [index, { parts, scale }] of left.entries()) {
      let score = 0;
      for (let term = 0; term < parts.length; term++) {
        score += (parts[term] ?? 0) * (kept[term] ?? 0);
      }
      if (score * scale > highest) {
        highest = score * scale;
        best = index;
      }
    }
    const [chosen] = left.splice(best, 1);
    if (chosen === undefined) break;
    for (let term = 0; term < kept.length; term++) {
      if ((chosen.parts[term] ?? 0) > 0) kept[term] = (kept[term] ?? 0) * REPEAT_DISCOUNT;
    }
    documents[place] = chosen.document;
  }
  left.forEach(({ document }, index) => documents[places + index] = document);
  settleScores(documents);
}

/** Makes the scores descend in the present order, so that a sort by score keeps it. */
function settleScores(documents: readonly RankedDocument[]): void {
  for (let index = documents.length - 2; index >= 0; index--) {
    const document = documents[index];
    const next = documents[index + 1];
    if (document !== undefined && next !== undefined && compareScored(document, next) > 0) {
      document.score = next.score * (1 + 1e-9) + Number.EPSILON;
    }
  }
}

const CLAUSES_MAX = 8;
const CLAUSE_WORDS_MIN = 3;
const CLAUSE_WEIGHT = 0.7;

/** Splits a long request into its parts: each part should find its own tool. */
export function splitClauses(text: string): string[] {
  const clauses = text.split(/(?<=[.!?;])\s+|,?\s+(?:and then|then|also|additionally)\s+/i)
    .filter((clause) => clause.split(/\s+/).length >= CLAUSE_WORDS_MIN)
    .slice(0, CLAUSES_MAX);
  return clauses.length < 2 ? [] : clauses;
}

/** Adds to each document's score its best share of a clause's best score, weighted. */
export function addClauses(
  documents: readonly RankedDocument[],
  clauses: readonly (readonly RankedDocument[])[],
): RankedDocument[] {
  const highest = documents[0]?.score ?? 0;
  const best = new Map<string, RankedDocument>();
  for (const ranked of clauses) {
    const first = ranked[0]?.score ?? 1;
    for (const document of ranked) {
      const share = document.score / first;
      const known = best.get(document.id);
      if (known === undefined) best.set(document.id, { ...document, score: share });
      else known.score = Math.max(known.score, share);
    }
  }
  const merged = new Map(documents.map((document) => [document.id, { ...document }]));
  for (const document of best.values()) {
    const known = merged.get(document.id);
    const added = CLAUSE_WEIGHT * document.score * highest;
    if (known) known.score += added;
    else merged.set(document.id, { ...document, score: added });
  }
  return [...merged.values()];
}
