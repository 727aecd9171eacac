import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import { blendRanking } from "./blend_ranking.ts";
import type { Embedder } from "./embedder.ts";
import { createQueryVectors } from "./query_vectors.ts";
import type { RankResult } from "./ranking.ts";
import type { RankedDocument, View } from "./scoring.ts";
import type { Segment } from "./segment.ts";
import { createToolVectors } from "./tool_vectors.ts";

/**
 * Ranks by meaning if an operator has configured a model: tools whose text is near in meaning are
 * ranked together with tools that share words.
 *
 * Tools are embedded in the background, a query within a time limit. If one of the two fails or is
 * not ready yet, the ranking by words stays as it is.
 */
export interface Semantic {
  /** Embeds the tools of new segments in the background, and forgets those that are gone. */
  update(segments: ReadonlyMap<string, Segment>, tools: ReadonlyMap<string, Tool>): void;
  /** The ranking by words and meaning; the given one if there are no vectors for it. */
  blend(query: string, view: View, ranked: RankResult, limit: number): Promise<RankResult>;
  /** Resolves when no tool is being embedded: for tests and benchmarks. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface SemanticDeps {
  readonly embedder: Embedder;
  /** 0 ranks by words alone, 1 by meaning alone. */
  readonly weight: number;
  /** For one query. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly now: () => number;
}

export function createSemantic(deps: SemanticDeps): Semantic {
  const tools = createToolVectors(deps);
  const queries = createQueryVectors({ ...deps, onEmbedded: tools.resume });
  return {
    update: tools.update,
    async blend(query, view, ranked, limit) {
      if (tools.isIdle) return ranked;
      const vector = await queries.embed(query);
      if (vector === null || tools.size === 0) return ranked;
      const meaning = {
        weight: deps.weight,
        near: tools.nearest(vector, view),
        similarity: (document: RankedDocument) => tools.similarity(document, vector),
      };
      return blendRanking(ranked, meaning, limit);
    },
    idle: tools.settled,
    close: tools.close,
  };
}
