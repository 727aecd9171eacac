import { createQueryReader } from "./query_terms.ts";
import { addClauses, applyFit, splitClauses, spread } from "./rerank.ts";
import {
  countFrequency,
  type RankedDocument,
  scoreTerms,
  type TermRows,
  type View,
} from "./scoring.ts";
import { nameKeys, type Segment } from "./segment.ts";
import { createVocabulary, type Vocabulary } from "./spelling.ts";
import { compareScored } from "./top_scores.ts";
import { queryVerbs } from "./verb_class.ts";

/** The ranked tools of one query. */
export interface RankResult {
  /** Best first. */
  readonly documents: readonly RankedDocument[];
  /** Visible tools that match. */
  readonly total: number;
  /** How many of the first documents match by their exact name. */
  readonly pinned: number;
}

/** Keeps the segments of all servers, and ranks their tools for a query. */
export interface Ranking {
  /** Replaces the tools of the segment's server. */
  put(segment: Segment): void;
  drop(server: string): void;
  /** By server. */
  readonly segments: ReadonlyMap<string, Segment>;
  rank(query: string, view: View, limit: number): RankResult;
}

const QUERY_CHARS_MAX = 4_000;
const RANKED_MAX = 200;
const FITTED = 100;
const CLAUSE_KEPT = 30;
const PINNED_MAX = 50;
const PINNED_QUERY_CHARS_MAX = 200;

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

  function rank(query: string, view: View, limit: number): RankResult {
    const text = query.slice(0, QUERY_CHARS_MAX);
    const reader = createQueryReader({
      frequency: (term) => countFrequency(table, view, term),
      has: (term) => table.has(term),
      vocabulary: () => vocabulary ??= createVocabulary(table.keys()),
    });
    const scores = scoreTerms(table, view, reader.weighted(text), RANKED_MAX);
    const clauses = splitClauses(text).map((clause) =>
      scoreTerms(table, view, reader.weighted(clause), CLAUSE_KEPT).documents
    );
    const documents = clauses.length === 0
      ? scores.documents
      : addClauses(scores.documents, clauses).sort(compareScored);
    const sequence = reader.terms(text);
    applyFit(documents.slice(0, FITTED), scores, sequence, queryVerbs(sequence));
    documents.sort(compareScored);
    spread(documents, scores);
    const named = findByName(text, segments, view, documents);
    const isNamed = new Set(named.map((document) => document.id));
    const ordered = [...named, ...documents.filter((document) => !isNamed.has(document.id))];
    return {
      documents: ordered.slice(0, limit),
      total: Math.max(scores.total, ordered.length),
      pinned: Math.min(named.length, limit),
    };
  }

  return { put, drop, segments, rank };
}

/** Tools whose name is exactly the query; their scores are above all others. */
function findByName(
  query: string,
  segments: ReadonlyMap<string, Segment>,
  view: View,
  ranked: readonly RankedDocument[],
): RankedDocument[] {
  if (query.length > PINNED_QUERY_CHARS_MAX) return [];
  const known = new Map(ranked.map((document) => [document.id, document]));
  const pinned = new Map<string, RankedDocument>();
  for (const key of nameKeys(query)) {
    const named: RankedDocument[] = [];
    for (const segment of segments.values()) {
      const codes = view.get(segment)?.codes;
      for (const tool of segment.names.get(key) ?? []) {
        const id = segment.ids[tool] ?? "";
        if (codes === undefined || codes[tool] === 0 || pinned.has(id)) continue;
        named.push(known.get(id) ?? { score: 0, id, segment, tool });
      }
    }
    for (const document of named.sort(compareScored)) pinned.set(document.id, document);
  }
  const kept = [...pinned.values()].slice(0, PINNED_MAX);
  const above = (ranked[0]?.score ?? 0) + 1;
  return kept.map((document, index) => ({ ...document, score: above + kept.length - index }));
}
