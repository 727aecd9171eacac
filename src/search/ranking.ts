import { isStopWord, joinName, splitWords, stem } from "./analyze.ts";
import type { Segment } from "./segment.ts";
import { createVocabulary, isCorrectable, isOneEdit, type Vocabulary } from "./spelling.ts";
import { compareScored, createTopScores } from "./top_scores.ts";
import { queryVerbs, verbFit } from "./verb_class.ts";

/**
 * Ranks tools for a query within what the caller may see.
 *
 * Everything that goes into a score comes from the visible tools alone: the number of tools, how many
 * have a term, which words are known. A hidden tool changes nothing, not even an order.
 */

/** Which tools of a segment a caller may see: not 0 at the tool's number. */
export interface SegmentView {
  readonly codes: Uint8Array;
  readonly count: number;
}

/** What a caller may see. A segment that is missing has nothing visible. */
export type View = ReadonlyMap<Segment, SegmentView>;

export interface RankedDocument {
  score: number;
  /** `Tool.id` */
  readonly id: string;
  readonly segment: Segment;
  /** The tool's number within the segment. */
  readonly tool: number;
}

export interface RankResult {
  /** Best first. */
  readonly documents: readonly RankedDocument[];
  /** Visible tools that have a term of the query. */
  readonly total: number;
}

export interface Ranking {
  /** Replaces the tools of the segment's server. */
  put(segment: Segment): void;
  drop(server: string): void;
  readonly segments: ReadonlyMap<string, Segment>;
  rank(query: string, view: View, limit: number): RankResult;
}

const QUERY_CHARS_MAX = 4_000;
const QUERY_TERMS_MAX = 128;
const RERANKED = 100;
const CLAUSES_MAX = 8;
const CLAUSE_WORDS_MIN = 3;
const CLAUSE_KEPT = 30;
const CLAUSE_WEIGHT = 0.5;
const VERB_WEIGHT = 0.05;
/** How much a word counts that a query says more than once. */
const REPEAT_WEIGHT = 0.25;
const PINNED_MAX = 50;
const PINNED_QUERY_CHARS_MAX = 200;
/** Words looked up in the vocabulary: a bound on the work that nonsense can cause. */
const UNKNOWN_WORDS_MAX = 32;

/** Where a term occurs: parallel lists. */
interface TermRows {
  readonly segments: Segment[];
  readonly rows: number[];
}

export function createRanking(): Ranking {
  const segments = new Map<string, Segment>();
  const table = new Map<string, TermRows>();
  let vocabulary: Vocabulary | null = null;

  function drop(server: string): void {
    const segment = segments.get(server);
    if (segment === undefined) return;
    segments.delete(server);
    vocabulary = null;
    for (const term of segment.terms) {
      const rows = table.get(term);
      const at = rows?.segments.indexOf(segment) ?? -1;
      if (rows === undefined || at < 0) continue;
      rows.segments.splice(at, 1);
      rows.rows.splice(at, 1);
      if (rows.segments.length === 0) table.delete(term);
    }
  }

  function put(segment: Segment): void {
    drop(segment.server);
    segments.set(segment.server, segment);
    vocabulary = null;
    for (const [row, term] of segment.terms.entries()) {
      const rows = table.get(term);
      if (rows) {
        rows.segments.push(segment);
        rows.rows.push(row);
      } else table.set(term, { segments: [segment], rows: [row] });
    }
  }

  /** Visible tools that have a term. */
  function frequency(term: string, view: View): number {
    const rows = table.get(term);
    if (rows === undefined) return 0;
    let count = 0;
    for (const [index, segment] of rows.segments.entries()) {
      const seen = view.get(segment);
      if (seen !== undefined) count += countVisible(segment, rows.rows[index] ?? 0, seen);
    }
    return count;
  }

  /** The visible word that a misspelt one stands for, else the word itself. Terms, not words. */
  function correct(word: string, view: View): string {
    const term = stem(word);
    vocabulary ??= createVocabulary(table.keys());
    let best = term;
    let bestFrequency = 0;
    for (const candidate of candidates(vocabulary, table, word, term)) {
      const found = frequency(candidate, view);
      if (found > bestFrequency || (found === bestFrequency && found > 0 && candidate < best)) {
        best = candidate;
        bestFrequency = found;
      }
    }
    return best;
  }

  function rank(query: string, view: View, limit: number): RankResult {
    const text = query.slice(0, QUERY_CHARS_MAX);
    const terms = new Map<string, string>();
    let unknown = 0;
    for (const word of splitWords(text)) {
      if (isStopWord(word) || terms.has(word)) continue;
      const term = stem(word);
      const isKnown = !isCorrectable(word) || frequency(term, view) > 0;
      if (!isKnown) unknown++;
      terms.set(word, isKnown || unknown > UNKNOWN_WORDS_MAX ? term : correct(word, view));
    }
    const termsOf = (part: string) =>
      splitWords(part).filter((word) => !isStopWord(word))
        .map((word) => terms.get(word) ?? stem(word)).slice(0, QUERY_TERMS_MAX);

    const whole = termsOf(text);
    const { documents, total } = score(table, view, whole, RERANKED);
    const merged = addClauses(
      documents,
      splitClauses(text),
      (clause) => score(table, view, termsOf(clause), CLAUSE_KEPT).documents,
    );
    const verbs = queryVerbs(whole);
    for (const document of merged) {
      const verb = document.segment.verbs[document.tool] ?? 0;
      document.score *= 1 + VERB_WEIGHT * verbFit(verbs, verb);
    }
    merged.sort(compareScored);
    const pinned = pin(text, segments, view, merged);
    return { documents: pinned.slice(0, limit), total: Math.max(total, pinned.length) };
  }

  return { put, drop, segments, rank };
}

/** Known terms near a word or its stem; also those whose ending the mistake is in. */
function* candidates(
  vocabulary: Vocabulary,
  table: ReadonlyMap<string, unknown>,
  word: string,
  term: string,
): Generator<string> {
  yield* vocabulary.near(term);
  if (word !== term) yield* vocabulary.near(word);
  for (const ending of ["s", "es", "ed", "ing", "e", "er"]) {
    for (const cut of [ending.length - 1, ending.length, ending.length + 1]) {
      const root = word.slice(0, word.length - cut);
      if (root.length < 3 || !table.has(root)) continue;
      if (isOneEdit(word, root + ending)) yield root;
    }
  }
}

function countVisible(segment: Segment, row: number, seen: SegmentView): number {
  const from = segment.starts[row] ?? 0;
  const to = segment.starts[row + 1] ?? 0;
  if (seen.count === segment.ids.length) return to - from;
  let count = 0;
  for (let index = from; index < to; index++) {
    if (seen.codes[segment.tools[index] ?? 0] !== 0) count++;
  }
  return count;
}

interface Posting {
  readonly row: number;
  /** Into the list of terms. */
  readonly term: number;
}

/** BM25F over the visible tools. */
function score(
  table: ReadonlyMap<string, TermRows>,
  view: View,
  terms: readonly string[],
  max: number,
): { documents: RankedDocument[]; total: number } {
  let visible = 0;
  for (const { count } of view.values()) visible += count;
  const repeats = new Map<string, number>();
  for (const term of terms) repeats.set(term, (repeats.get(term) ?? 0) + 1);

  const work = new Map<Segment, Posting[]>();
  const factors: number[] = [];
  for (const [term, repeat] of repeats) {
    const rows = table.get(term);
    if (rows === undefined) continue;
    let frequency = 0;
    const index = factors.length;
    for (const [at, segment] of rows.segments.entries()) {
      const seen = view.get(segment);
      const row = rows.rows[at] ?? 0;
      const count = seen === undefined ? 0 : countVisible(segment, row, seen);
      if (count === 0) continue;
      frequency += count;
      const postings = work.get(segment);
      if (postings) postings.push({ row, term: index });
      else work.set(segment, [{ row, term: index }]);
    }
    if (frequency === 0) continue;
    const rarity = Math.log(1 + (visible - frequency + 0.5) / (frequency + 0.5));
    factors.push(rarity * (1 + REPEAT_WEIGHT * Math.log(repeat)));
  }

  const top = createTopScores<RankedDocument>(max);
  let total = 0;
  for (const [segment, postings] of work) {
    const seen = view.get(segment);
    if (seen !== undefined) {
      total += scoreSegment(segment, seen, postings, factors, top.floor, top.offer);
    }
  }
  return { documents: top.take(), total };
}

/** One array for all segments, zero between uses: a query allocates nothing of their size. */
let scores = new Float64Array(1_024);

function scoreSegment(
  segment: Segment,
  seen: SegmentView,
  postings: readonly Posting[],
  factors: readonly number[],
  floor: () => number,
  offer: (document: RankedDocument) => void,
): number {
  if (scores.length < segment.ids.length) scores = new Float64Array(segment.ids.length * 2);
  const { tools, weights, starts } = segment;
  const { codes } = seen;
  const touched: number[] = [];
  for (const { row, term } of postings) {
    const factor = factors[term] ?? 0;
    const to = starts[row + 1] ?? 0;
    for (let index = starts[row] ?? 0; index < to; index++) {
      const tool = tools[index] ?? 0;
      if (codes[tool] === 0) continue;
      const before = scores[tool] ?? 0;
      if (before === 0) touched.push(tool);
      scores[tool] = before + factor * (weights[index] ?? 0);
    }
  }
  for (const tool of touched) {
    const score = scores[tool] ?? 0;
    scores[tool] = 0;
    if (score >= floor()) offer({ score, id: segment.ids[tool] ?? "", segment, tool });
  }
  return touched.length;
}

/** The requests within a long one: each should find its own tool. */
function splitClauses(text: string): string[] {
  return text.split(/(?<=[.!?;])\s+|,?\s+(?:and then|then|also|additionally)\s+/i)
    .filter((clause) => clause.split(/\s+/).length >= CLAUSE_WORDS_MIN)
    .slice(0, CLAUSES_MAX);
}

/** Adds to each document's share of the best score the best share it has in any clause. */
function addClauses(
  documents: RankedDocument[],
  clauses: readonly string[],
  rankClause: (clause: string) => RankedDocument[],
): RankedDocument[] {
  const highest = documents[0]?.score ?? 0;
  if (clauses.length < 2 || highest === 0) return documents;
  const best = new Map<string, RankedDocument>();
  for (const clause of clauses) {
    const ranked = rankClause(clause);
    const first = ranked[0]?.score ?? 1;
    for (const document of ranked) {
      const share = document.score / first;
      const known = best.get(document.id);
      if (known === undefined) best.set(document.id, { ...document, score: share });
      else known.score = Math.max(known.score, share);
    }
  }
  const merged = new Map(
    documents.map((document) => [document.id, { ...document, score: document.score / highest }]),
  );
  for (const document of best.values()) {
    const known = merged.get(document.id);
    const added = CLAUSE_WEIGHT * document.score;
    if (known) known.score += added;
    else merged.set(document.id, { ...document, score: added });
  }
  return [...merged.values()];
}

/** Tools whose name is exactly the query, before all others. */
function pin(
  query: string,
  segments: ReadonlyMap<string, Segment>,
  view: View,
  ranked: RankedDocument[],
): RankedDocument[] {
  const name = query.length > PINNED_QUERY_CHARS_MAX ? "" : joinName(query);
  if (name === "") return ranked;
  const known = new Map(ranked.map((document) => [document.id, document]));
  const highest = ranked[0]?.score ?? 0;
  const pinned: RankedDocument[] = [];
  for (const segment of segments.values()) {
    const codes = view.get(segment)?.codes;
    for (const tool of segment.names.get(name) ?? []) {
      if (codes === undefined || codes[tool] === 0) continue;
      const id = segment.ids[tool] ?? "";
      pinned.push(known.get(id) ?? { score: 0, id, segment, tool });
    }
  }
  if (pinned.length === 0) return ranked;
  pinned.sort((a, b) =>
    Number(joinName(b.id) === name) - Number(joinName(a.id) === name) || compareScored(a, b)
  );
  const kept = pinned.slice(0, PINNED_MAX);
  const isPinned = new Set(kept.map((document) => document.id));
  const lifted = kept.map((document) => ({ ...document, score: document.score + highest + 1 }));
  return [...lifted, ...ranked.filter((document) => !isPinned.has(document.id))];
}
