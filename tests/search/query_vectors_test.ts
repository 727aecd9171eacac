import assert from "node:assert/strict";
import { createQueryVectors } from "../../src/search/query_vectors.ts";

function vectorsOf(answer: () => Promise<readonly Float32Array[]>) {
  const asked: string[] = [];
  let now = 0;
  let embedded = 0;
  const queries = createQueryVectors({
    embedder: {
      embed(texts) {
        asked.push(...texts);
        return answer() as Promise<Float32Array[]>;
      },
    },
    timeoutMs: 100,
    onEmbedded: () => embedded++,
    log() {},
    now: () => now,
  });
  return { queries, asked, embedded: () => embedded, pass: (ms: number) => (now += ms) };
}

const VECTOR = Float32Array.of(1, 0);

Deno.test("createQueryVectors() embeds a query once, and the first two thousand characters of it", async () => {
  const { queries, asked, embedded } = vectorsOf(() => Promise.resolve([VECTOR]));
  const long = "x".repeat(3_000);
  assert.equal(await queries.embed(long), VECTOR);
  assert.equal(await queries.embed(`${long} and more`), VECTOR);
  assert.deepEqual([asked.map(({ length }) => length), embedded()], [[2_000], 1]);
});

Deno.test("createQueryVectors() forgets the oldest of many queries", async () => {
  const { queries, asked } = vectorsOf(() => Promise.resolve([VECTOR]));
  for (let query = 0; query <= 256; query++) await queries.embed(`${query}`);
  await queries.embed("256");
  assert.equal(asked.length, 257);
  await queries.embed("0");
  assert.equal(asked.length, 258);
});

Deno.test("createQueryVectors() pauses after three failures in a row", async () => {
  let fails = true;
  const { queries, asked, pass, embedded } = vectorsOf(() =>
    fails ? Promise.reject(new Error("down")) : Promise.resolve([VECTOR])
  );
  for (let count = 0; count < 5; count++) assert.equal(await queries.embed("a"), null);
  assert.equal(asked.length, 3);
  fails = false;
  pass(30_000);
  assert.equal(await queries.embed("a"), VECTOR);
  assert.equal(embedded(), 1);
});
