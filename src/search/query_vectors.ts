import type { Log } from "../model/log.ts";
import type { Embedder } from "./embedder.ts";

/** Makes the vectors of queries within a time limit, and remembers them. */
export interface QueryVectors {
  /** @returns null if the embedder fails, is too slow, or failed too often just now */
  embed(query: string): Promise<Float32Array | null>;
}

export interface QueryVectorsDeps {
  readonly embedder: Embedder;
  /** For one query. */
  readonly timeoutMs: number;
  /** Called when the embedder has made the vector of a query. */
  readonly onEmbedded: () => void;
  readonly log: Log;
  readonly now: () => number;
}

const QUERIES_MAX = 256;
const QUERY_CHARS_MAX = 2_000;
/** Failures in a row after which queries are not embedded for a while. */
const FAILURES_MAX = 3;
const PAUSE_MS = 30_000;

export function createQueryVectors(deps: QueryVectorsDeps): QueryVectors {
  const vectors = new Map<string, Float32Array>();
  let failures = 0;
  let pausedUntil = 0;

  return {
    async embed(query) {
      const text = query.slice(0, QUERY_CHARS_MAX);
      const known = vectors.get(text);
      if (known !== undefined) return known;
      if (deps.now() < pausedUntil) return null;
      try {
        const [vector] = await deps.embedder.embed([text], deps.timeoutMs);
        failures = 0;
        if (vector === undefined) return null;
        const [oldest] = vectors.keys();
        if (vectors.size >= QUERIES_MAX && oldest !== undefined) vectors.delete(oldest);
        vectors.set(text, vector);
        deps.onEmbedded();
        return vector;
      } catch (error) {
        if (++failures >= FAILURES_MAX) pausedUntil = deps.now() + PAUSE_MS;
        deps.log("warn", "Cannot embed a query; searching by words", { cause: `${error}` });
        return null;
      }
    },
  };
}
