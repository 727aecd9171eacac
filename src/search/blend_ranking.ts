import type { RankResult } from "./ranking.ts";
import type { RankedDocument } from "./scoring.ts";
import { compareScored } from "./top_scores.ts";

/** How near the tools are to the query in meaning. */
export interface Meaning {
  /** 0 ranks by words alone, 1 by meaning alone. */
  readonly weight: number;
  /** The visible tools that are nearest. */
  readonly near: readonly RankedDocument[];
  readonly similarity: (document: RankedDocument) => number;
}

/**
 * Ranks by words and meaning. Pinned documents stay first; the score of each other one is the
 * weighted sum of its share of the best score by words and of the best by meaning.
 */
export function blendRanking(ranked: RankResult, meaning: Meaning, limit: number): RankResult {
  const pinned = ranked.documents.slice(0, ranked.pinned);
  const words = new Map(
    ranked.documents.slice(ranked.pinned).map((document) => [document.id, document]),
  );
  for (const document of pinned) words.delete(document.id);
  const near = meaning.near
    .filter(({ id }) => !words.has(id) && pinned.every((document) => document.id !== id));
  const highest = Math.max(...[...words.values()].map(({ score }) => score), 1e-9);
  const closest = Math.max(...near.map(({ score }) => score), 1e-9);
  const blended = [...words.values()].map((document) => ({
    document,
    words: document.score / highest,
    meaning: meaning.similarity(document),
  })).concat(near.map((document) => ({ document, words: 0, meaning: document.score })));
  const nearest = Math.max(closest, ...blended.map((entry) => entry.meaning));
  const documents = blended.map((entry) => ({
    ...entry.document,
    score: (1 - meaning.weight) * entry.words +
      meaning.weight * Math.max(0, entry.meaning / nearest),
  })).sort(compareScored);
  const all = [...pinned, ...documents];
  return {
    documents: all.slice(0, limit),
    total: Math.max(ranked.total, all.length),
    pinned: pinned.length,
  };
}
