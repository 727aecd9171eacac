import { createHash } from "node:crypto";
import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import type { Embedder } from "./embedder.ts";
import type { RankResult } from "./ranking.ts";
import type { RankedDocument, View } from "./scoring.ts";
import type { Segment } from "./segment.ts";
import { compareScored, createTopScores } from "./top_scores.ts";

/**
 * What words mean, where an operator has configured a model: tools whose text is near in meaning are
 * ranked together with those that share words.
 *
 * It only ever adds. Tools are embedded in the background, a query within a time limit; whatever
 * fails or is not ready yet leaves the ranking by words as it is.
 */
export interface Semantic {
  /** Embeds the tools of new segments in the background, and forgets those that are gone. */
  update(segments: ReadonlyMap<string, Segment>, tools: ReadonlyMap<string, Tool>): void;
  /** The ranking by words and meaning; the given one if there is no meaning to be had. */
  blend(query: string, view: View, ranked: RankResult, limit: number): Promise<RankResult>;
  /** Resolves when no tool is being embedded: for tests and benchmarks. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface SemanticDeps {
  readonly embedder: Embedder;
  /** 0 is words alone, 1 meaning alone. */
  readonly weight: number;
  /** For one query. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly now: () => number;
}

const BATCH = 64;
const BATCH_TIMEOUT_MS = 30_000;
const TEXT_CHARS_MAX = 1_000;
const NEAREST_MAX = 100;
const QUERIES_MAX = 256;
const QUERY_CHARS_MAX = 2_000;
/** Failures in a row after which queries are not embedded for a while. */
const FAILURES_MAX = 3;
const PAUSE_MS = 30_000;

export function createSemantic(deps: SemanticDeps): Semantic {
  /** By a hash of the text: a tool that is listed again is not embedded again. */
  const cache = new Map<string, Float32Array>();
  let hashes = new Map<Segment, readonly string[]>();
  let texts = new Map<string, string>();
  const queries = new Map<string, Float32Array>();
  let failures = 0;
  let pausedUntil = 0;
  let work: Promise<void> | null = null;
  let isClosed = false;

  function update(segments: ReadonlyMap<string, Segment>, tools: ReadonlyMap<string, Tool>): void {
    const before = hashes;
    hashes = new Map();
    for (const segment of segments.values()) {
      const known = before.get(segment);
      if (known) hashes.set(segment, known);
      else hashes.set(segment, segment.ids.map((id) => remember(tools.get(id))));
    }
    const used = new Set([...hashes.values()].flat());
    for (const hash of cache.keys()) if (!used.has(hash)) cache.delete(hash);
    texts = new Map([...texts].filter(([hash]) => used.has(hash) && !cache.has(hash)));
    if (texts.size > 0 && work === null) work = embedAll().finally(() => work = null);
  }

  function remember(tool: Tool | undefined): string {
    if (tool === undefined) return "";
    const text = textOf(tool);
    const hash = createHash("sha256").update(text).digest("base64url");
    if (!cache.has(hash)) texts.set(hash, text);
    return hash;
  }

  async function embedAll(): Promise<void> {
    while (texts.size > 0 && !isClosed) {
      const batch = [...texts].slice(0, BATCH);
      try {
        const vectors = await deps.embedder.embed(batch.map(([, text]) => text), BATCH_TIMEOUT_MS);
        for (const [index, [hash]] of batch.entries()) {
          const vector = vectors[index];
          if (vector !== undefined) cache.set(hash, vector);
          texts.delete(hash);
        }
      } catch (error) {
        // The next change of the catalog, or the next query that works, tries again.
        deps.log("warn", "Cannot embed tools; searching by words", { cause: `${error}` });
        return;
      }
    }
  }

  async function embedQuery(query: string): Promise<Float32Array | null> {
    const text = query.slice(0, QUERY_CHARS_MAX);
    const known = queries.get(text);
    if (known !== undefined) return known;
    if (deps.now() < pausedUntil) return null;
    try {
      const [vector] = await deps.embedder.embed([text], deps.timeoutMs);
      failures = 0;
      if (vector === undefined) return null;
      const [oldest] = queries.keys();
      if (queries.size >= QUERIES_MAX && oldest !== undefined) queries.delete(oldest);
      queries.set(text, vector);
      if (texts.size > 0 && work === null) work = embedAll().finally(() => work = null);
      return vector;
    } catch (error) {
      if (++failures >= FAILURES_MAX) pausedUntil = deps.now() + PAUSE_MS;
      deps.log("warn", "Cannot embed a query; searching by words", { cause: `${error}` });
      return null;
    }
  }

  /** Cosine with each visible tool of the segment, by its number. */
  function similarity(document: RankedDocument, query: Float32Array): number {
    const vector = cache.get(hashes.get(document.segment)?.[document.tool] ?? "");
    return vector === undefined ? 0 : dot(vector, query);
  }

  function nearest(query: Float32Array, view: View): RankedDocument[] {
    const top = createTopScores<RankedDocument>(NEAREST_MAX);
    for (const [segment, { codes }] of view) {
      for (const [tool, hash] of (hashes.get(segment) ?? []).entries()) {
        const vector = codes[tool] === 0 ? undefined : cache.get(hash);
        if (vector === undefined) continue;
        const score = dot(vector, query);
        if (score > top.floor()) top.offer({ score, id: segment.ids[tool] ?? "", segment, tool });
      }
    }
    return top.take();
  }

  return {
    update,
    async blend(query, view, ranked, limit) {
      if (cache.size === 0 && texts.size === 0) return ranked;
      const vector = await embedQuery(query);
      if (vector === null || cache.size === 0) return ranked;
      const pinned = ranked.documents.slice(0, ranked.pinned);
      const words = new Map(
        ranked.documents.slice(ranked.pinned).map((document) => [document.id, document]),
      );
      for (const document of pinned) words.delete(document.id);
      const near = nearest(vector, view)
        .filter(({ id }) => !words.has(id) && pinned.every((document) => document.id !== id));
      const highest = Math.max(...[...words.values()].map(({ score }) => score), 1e-9);
      const closest = Math.max(...near.map(({ score }) => score), 1e-9);
      const blended = [...words.values()].map((document) => {
        const meaning = similarity(document, vector);
        return { document, words: document.score / highest, meaning };
      }).concat(near.map((document) => ({ document, words: 0, meaning: document.score })));
      const nearestScore = Math.max(closest, ...blended.map(({ meaning }) => meaning));
      const documents = blended.map(({ document, words: share, meaning }) => ({
        ...document,
        score: (1 - deps.weight) * share + deps.weight * Math.max(0, meaning / nearestScore),
      })).sort(compareScored);
      const all = [...pinned, ...documents];
      return {
        documents: all.slice(0, limit),
        total: Math.max(ranked.total, all.length),
        pinned: pinned.length,
      };
    },
    async idle() {
      while (work !== null) await work;
    },
    async close() {
      isClosed = true;
      await work;
    },
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  // Another dimension is another model: nothing to compare.
  if (a.length !== b.length) return 0;
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

function textOf(tool: Tool): string {
  const words = tool.name.replaceAll(/[_.-]+/g, " ");
  return [`${tool.server}: ${words}`, tool.title, tool.description, tool.aliases?.join(", ")]
    .filter(Boolean).join("\n").slice(0, TEXT_CHARS_MAX);
}
