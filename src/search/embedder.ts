import type { SiteFetch } from "../dial/site_fetch.ts";
import { isFields } from "../model/json/fields.ts";

/**
 * Turns texts into vectors with a model behind an OpenAI-compatible `/v1/embeddings`.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings
 */
export interface Embedder {
  /**
   * @returns a unit vector for each text.
   * @throws on any failure: the caller goes on without vectors.
   */
  embed(texts: readonly string[], timeoutMs: number): Promise<Float32Array[]>;
}

export interface EmbedderDeps {
  /** The URL up to and with `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Resolved for each request, so that a key can change. */
  readonly apiKey: () => Promise<string | null>;
  readonly fetch: SiteFetch;
}

const RESPONSE_BYTES_MAX = 67_108_864;
const DIMENSIONS_MAX = 8_192;

export function createEmbedder(deps: EmbedderDeps): Embedder {
  const url = `${deps.url.replace(/\/+$/, "")}/embeddings`;
  return {
    async embed(texts, timeoutMs) {
      const key = await deps.apiKey();
      const response = await deps.fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ model: deps.model, input: texts }),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`The embedding server answered ${response.status}`);
      }
      return readVectors(JSON.parse(await readText(response)), texts.length);
    },
  };
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > RESPONSE_BYTES_MAX) throw new Error("The embedding server's answer is too large");
    parts.push(part);
  }
  return await new Blob(parts as BlobPart[]).text();
}

function readVectors(answer: unknown, count: number): Float32Array[] {
  const list = isFields(answer) ? answer.data : undefined;
  if (!Array.isArray(list) || list.length !== count) {
    throw malformed("not one vector for each text");
  }
  const vectors = new Array<Float32Array | undefined>(count);
  for (const [place, entry] of list.entries()) {
    const index = isFields(entry) && Number.isInteger(entry.index) ? Number(entry.index) : place;
    const values = isFields(entry) ? entry.embedding : undefined;
    if (!Array.isArray(values) || values.length === 0 || values.length > DIMENSIONS_MAX) {
      throw malformed("a vector is not a list of numbers");
    }
    if (index < 0 || index >= count) throw malformed("an index is out of range");
    vectors[index] = toUnit(values);
  }
  return vectors.map((vector) => {
    if (vector === undefined) throw malformed("a text has no vector");
    return vector;
  });
}

function toUnit(values: readonly unknown[]): Float32Array {
  const vector = Float32Array.from(values, Number);
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (!Number.isFinite(sum) || sum === 0) throw malformed("a vector is not finite or zero");
  const length = Math.sqrt(sum);
  return vector.map((value) => value / length);
}

function malformed(reason: string): Error {
  return new Error(`Cannot read the embedding server's answer: ${reason}`);
}
