import assert from "node:assert/strict";
import { blendRanking } from "../../src/search/blend_ranking.ts";
import type { RankedDocument } from "../../src/search/scoring.ts";
import { createSegmentBuilder } from "../../src/search/segment.ts";

const segment = await createSegmentBuilder("crm").seal(() => Promise.resolve());
const ranked = (id: string, score: number): RankedDocument => ({ id, score, segment, tool: 0 });
const BY_WORDS = { documents: [ranked("a", 4), ranked("b", 2)], total: 2, pinned: 0 };

/** Ids and scores of the blend of what `BY_WORDS` ranks with what is near. */
function blend(weight: number, near: readonly RankedDocument[], ranking = BY_WORDS, limit = 10) {
  const similarity = ({ id }: RankedDocument) => near.find((one) => one.id === id)?.score ?? 0;
  const { documents, ...counts } = blendRanking(ranking, { weight, near, similarity }, limit);
  return { ...counts, documents: documents.map(({ id, score }) => [id, score]) };
}

Deno.test("blendRanking() adds shares of the best by words and of the best by meaning", () => {
  const { documents, total } = blend(0.5, [ranked("c", 0.8), ranked("b", 0.4)]);
  assert.deepEqual(documents, [["a", 0.5], ["b", 0.5], ["c", 0.5]]);
  assert.equal(total, 3);
});

Deno.test("blendRanking() goes by words alone at 0 and by meaning alone at 1", () => {
  const near = [ranked("c", 0.8), ranked("b", 0.4)];
  assert.deepEqual(blend(0, near).documents, [["a", 1], ["b", 0.5], ["c", 0]]);
  assert.deepEqual(blend(1, near).documents, [["c", 1], ["b", 0.5], ["a", 0]]);
});

Deno.test("blendRanking() keeps pinned documents first, each once", () => {
  const ranking = { documents: [ranked("p", 1), ranked("a", 4)], total: 2, pinned: 1 };
  const { documents, pinned } = blend(0.5, [ranked("p", 0.9), ranked("c", 0.3)], ranking);
  assert.deepEqual(documents.map(([id]) => id), ["p", "a", "c"]);
  assert.equal(pinned, 1);
});

Deno.test("blendRanking() does not count against a tool that its meaning is the opposite", () => {
  const { documents } = blend(0.5, [ranked("b", -0.5)]);
  assert.deepEqual(documents, [["a", 0.5], ["b", 0.25]]);
});

Deno.test("blendRanking() answers with as many as were asked for, and counts all", () => {
  const { documents, total } = blend(0.5, [ranked("c", 0.8)], BY_WORDS, 1);
  assert.deepEqual([documents.length, total], [1, 3]);
});
