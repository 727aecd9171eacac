import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { createVocabulary, isCorrectable, isOneEdit } from "../../src/search/spelling.ts";

const WORDS = ["record", "report", "repository", "create", "creature", "list", "查询天气"];

Deno.test("near() finds words one edit away, and no others", () => {
  const vocabulary = createVocabulary(WORDS);
  deepStrictEqual(vocabulary.near("recrod"), ["record"]);
  deepStrictEqual(vocabulary.near("recor"), ["record"]);
  deepStrictEqual(vocabulary.near("reccord"), ["record"]);
  deepStrictEqual(vocabulary.near("retord"), ["record"]);
  deepStrictEqual(vocabulary.near("rcrd"), []);
  deepStrictEqual(vocabulary.near("record"), []);
});

Deno.test("isOneEdit() agrees with near() for any edit of any word", () => {
  const word = fc.stringMatching(/^[a-zé]{4,12}$/);
  fc.assert(
    fc.property(
      word,
      fc.nat(),
      fc.stringMatching(/^[a-z]$/),
      fc.nat(3),
      (known, at, letter, kind) => {
        const place = at % (known.length - 1);
        const edited = [
          known.slice(0, place) + known.slice(place + 1),
          known.slice(0, place) + letter + known.slice(place),
          known.slice(0, place) + letter + known.slice(place + 1),
          known.slice(0, place) + known[place + 1] + known[place] + known.slice(place + 2),
        ][kind] ?? "";
        strictEqual(isOneEdit(edited, known), edited !== known);
        strictEqual(createVocabulary([known]).near(edited).includes(known), edited !== known);
      },
    ),
  );
});

Deno.test("isCorrectable() leaves short words, numbers and long rubbish alone", () => {
  deepStrictEqual(["abc", "abcd", "k8ss", "a".repeat(40), "a".repeat(41)].map(isCorrectable), [
    false,
    true,
    false,
    true,
    false,
  ]);
});

Deno.test("near() looks through 100,000 words in milliseconds", () => {
  const words = Array.from({ length: 100_000 }, (_, index) => `word${index.toString(26)}`);
  const vocabulary = createVocabulary(words);
  const startedAt = performance.now();
  for (let round = 0; round < 10; round++) vocabulary.near("wrodabc");
  strictEqual((performance.now() - startedAt) / 10 < 500, true);
});
