import type { Segment } from "./segment.ts";
import { createTopScores } from "./top_scores.ts";

/**
 * BM25F over the tools that a caller may see.
 *
 * A score depends on the visible tools alone: how many there are, and how many of them have a term.
 * A hidden tool does not change an answer, not even its order.
 */

/** The tools of a segment that a caller may see: `codes` is not 0 at the tool's number. */
export interface SegmentView {
  readonly codes: Uint8Array;
  readonly count: number;
}

/** The tools that a caller may see. A segment that is missing here has no visible tools. */
export type View = ReadonlyMap<Segment, SegmentView>;

/** A tool with its score. */
export interface RankedDocument {
  score: number;
  /** `Tool.id` */
  readonly id: string;
  readonly segment: Segment;
  /** The tool's number within the segment. */
  readonly tool: number;
}

/** Where a term occurs: two parallel lists. */
export interface TermRows {
  readonly segments: Segment[];
  readonly rows: number[];
}

/** By term. */
export type TermTable = ReadonlyMap<string, TermRows>;

/** A term of a query and how much it counts. */
export interface QueryTerm {
  readonly term: string;
  readonly weight: number;
}

/** A term that some visible tool has. */
export interface ScoredTerm {
  readonly term: string;
  /** Its rarity among the visible tools, times its weight in the query. */
  readonly factor: number;
}

export interface Scores {
  /** Best first. */
  readonly documents: RankedDocument[];
  /** How many visible tools have a term of the query. */
  readonly total: number;
  readonly terms: readonly ScoredTerm[];
  /** For each segment, the rows of the terms (by their place in `terms`). */
  readonly postings: ReadonlyMap<Segment, readonly Posting[]>;
}

interface Posting {
  readonly row: number;
  /** Index into the list of terms. */
  readonly term: number;
}

/** How many visible tools have a term. */
export function countFrequency(table: TermTable, view: View, term: string): number {
  const rows = table.get(term);
  if (rows === undefined) return 0;
  let count = 0;
  for (const [index, segment] of rows.segments.entries()) {
    const seen = view.get(segment);
    if (seen !== undefined) count += countVisible(segment, rows.rows[index] ?? 0, seen);
  }
  return count;
}

/** Finds the `max` visible tools with the best scores for the terms of a query. */
export function scoreTerms(
  table: TermTable,
  view: View,
  query: readonly QueryTerm[],
  max: number,
): Scores {
  let visible = 0;
  for (const { count } of view.values()) visible += count;
  const postings = new Map<Segment, Posting[]>();
  const terms: ScoredTerm[] = [];
  for (const { term, weight } of query) {
    const rows = table.get(term);
    if (rows === undefined) continue;
    let frequency = 0;
    for (const [at, segment] of rows.segments.entries()) {
      const seen = view.get(segment);
      const row = rows.rows[at] ?? 0;
      const count = seen === undefined ? 0 : countVisible(segment, row, seen);
      if (count === 0) continue;
      frequency += count;
      const list = postings.get(segment);
      if (list) list.push({ row, term: terms.length });
      else postings.set(segment, [{ row, term: terms.length }]);
    }
    if (frequency === 0) continue;
    const rarity = Math.log(1 + (visible - frequency + 0.5) / (frequency + 0.5));
    terms.push({ term, factor: rarity * weight });
  }
  const top = createTopScores<RankedDocument>(max);
  const scoring = { terms, top };
  let total = 0;
  for (const [segment, list] of postings) {
    const codes = view.get(segment)?.codes;
    if (codes !== undefined) total += scoreSegment(scoring, segment, codes, list);
  }
  return { documents: top.take(), total, terms, postings };
}

/** How much each term contributes to a document's score, in the order of `scores.terms`. */
export function contributions(scores: Scores, document: RankedDocument): Float64Array {
  const parts = new Float64Array(scores.terms.length);
  for (const { row, term } of scores.postings.get(document.segment) ?? []) {
    const weight = weightOf(document.segment, row, document.tool);
    parts[term] = (scores.terms[term]?.factor ?? 0) * weight;
  }
  return parts;
}

function weightOf(segment: Segment, row: number, tool: number): number {
  let from = segment.starts[row] ?? 0;
  let to = (segment.starts[row + 1] ?? 0) - 1;
  while (from <= to) {
    const middle = (from + to) >> 1;
    const found = segment.tools[middle] ?? 0;
    if (found === tool) return segment.weights[middle] ?? 0;
    if (found < tool) from = middle + 1;
    else to = middle - 1;
  }
  return 0;
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

/**
 * One array for all segments, all zero between uses: a query does not allocate arrays of their
 * size.
 */
let accumulated = new Float64Array(1_024);

/** The parts of one query that are the same for all segments. */
interface Scoring {
  readonly terms: readonly ScoredTerm[];
  readonly top: { floor(): number; offer(document: RankedDocument): void };
}

/** @returns how many visible tools of the segment have a term of the query. */
function scoreSegment(
  { terms, top }: Scoring,
  segment: Segment,
  codes: Uint8Array,
  postings: readonly Posting[],
): number {
  if (accumulated.length < segment.ids.length) {
    accumulated = new Float64Array(segment.ids.length * 2);
  }
  const { tools, weights, starts } = segment;
  const touched: number[] = [];
  for (const { row, term } of postings) {
    const factor = terms[term]?.factor ?? 0;
    const to = starts[row + 1] ?? 0;
    for (let index = starts[row] ?? 0; index < to; index++) {
      const tool = tools[index] ?? 0;
      if (codes[tool] === 0) continue;
      const before = accumulated[tool] ?? 0;
      if (before === 0) touched.push(tool);
      accumulated[tool] = before + factor * (weights[index] ?? 0);
    }
  }
  for (const tool of touched) {
    const score = accumulated[tool] ?? 0;
    accumulated[tool] = 0;
    if (score >= top.floor()) top.offer({ score, id: segment.ids[tool] ?? "", segment, tool });
  }
  return touched.length;
}
