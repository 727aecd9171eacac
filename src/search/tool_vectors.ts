import { createHash } from "node:crypto";
import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import type { Embedder } from "./embedder.ts";
import type { RankedDocument, View } from "./scoring.ts";
import type { Segment } from "./segment.ts";
import { createTopScores } from "./top_scores.ts";

/** Makes the vectors of the tools in the background. */
export interface ToolVectors {
  /** True if no tool has a vector or waits for one. */
  readonly isIdle: boolean;
  readonly size: number;
  /** Embeds the tools of new segments, and forgets those that are gone. */
  update(segments: ReadonlyMap<string, Segment>, tools: ReadonlyMap<string, Tool>): void;
  /** Tries again to embed the tools that failed before. */
  resume(): void;
  /** Cosine with a tool of a segment; 0 if the tool has no vector. */
  similarity(document: RankedDocument, query: Float32Array): number;
  /** The visible tools that are nearest in meaning, best first. */
  nearest(query: Float32Array, view: View): RankedDocument[];
  /** Resolves when no tool is being embedded. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface ToolVectorsDeps {
  readonly embedder: Embedder;
  readonly log: Log;
}

const BATCH = 64;
const BATCH_TIMEOUT_MS = 30_000;
const TEXT_CHARS_MAX = 1_000;
const NEAREST_MAX = 100;

export function createToolVectors(deps: ToolVectorsDeps): ToolVectors {
  /** By a hash of the text: a tool that is listed again is not embedded again. */
  const vectors = new Map<string, Float32Array>();
  /** Hashes of each segment's tools, by their numbers. */
  let hashes = new Map<Segment, readonly string[]>();
  /** Texts that have no vector yet, by hash. */
  let texts = new Map<string, string>();
  let work: Promise<void> | null = null;
  let isClosed = false;

  function remember(tool: Tool | undefined): string {
    if (tool === undefined) return "";
    const text = textOf(tool);
    const hash = createHash("sha256").update(text).digest("base64url");
    if (!vectors.has(hash)) texts.set(hash, text);
    return hash;
  }

  function resume(): void {
    if (texts.size > 0 && work === null) work = embedAll().finally(() => work = null);
  }

  async function embedAll(): Promise<void> {
    while (texts.size > 0 && !isClosed) {
      const batch = [...texts].slice(0, BATCH);
      try {
        const made = await deps.embedder.embed(batch.map(([, text]) => text), BATCH_TIMEOUT_MS);
        for (const [index, [hash]] of batch.entries()) {
          const vector = made[index];
          if (vector !== undefined) vectors.set(hash, vector);
          texts.delete(hash);
        }
      } catch (error) {
        // The next change of the catalog, or the next query with a vector, tries again.
        deps.log("warn", "Cannot embed tools; searching by words", { cause: `${error}` });
        return;
      }
    }
  }

  return {
    get isIdle() {
      return vectors.size === 0 && texts.size === 0;
    },
    get size() {
      return vectors.size;
    },
    update(segments, tools) {
      const before = hashes;
      hashes = new Map();
      for (const segment of segments.values()) {
        const known = before.get(segment);
        if (known) hashes.set(segment, known);
        else hashes.set(segment, segment.ids.map((id) => remember(tools.get(id))));
      }
      const used = new Set([...hashes.values()].flat());
      for (const hash of vectors.keys()) if (!used.has(hash)) vectors.delete(hash);
      texts = new Map([...texts].filter(([hash]) => used.has(hash) && !vectors.has(hash)));
      resume();
    },
    resume,
    similarity(document, query) {
      const vector = vectors.get(hashes.get(document.segment)?.[document.tool] ?? "");
      return vector === undefined ? 0 : dot(vector, query);
    },
    nearest(query, view) {
      const top = createTopScores<RankedDocument>(NEAREST_MAX);
      for (const [segment, { codes }] of view) {
        for (const [tool, hash] of (hashes.get(segment) ?? []).entries()) {
          const vector = codes[tool] === 0 ? undefined : vectors.get(hash);
          if (vector === undefined) continue;
          const score = dot(vector, query);
          if (score > top.floor()) top.offer({ score, id: segment.ids[tool] ?? "", segment, tool });
        }
      }
      return top.take();
    },
    async settled() {
      while (work !== null) await work;
    },
    async close() {
      isClosed = true;
      await work;
    },
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  // Vectors of different lengths come from different models and cannot be compared.
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
