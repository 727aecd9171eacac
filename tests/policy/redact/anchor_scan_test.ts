import fc from "fast-check";
import assert from "node:assert/strict";
import { compileAnchors } from "../../../src/policy/redact/anchor_scan.ts";

/** Few letters, so that anchors stand in texts often; one beyond ASCII that falls on `a` with 7 bits. */
const letters = fc.constantFrom("a", "b", "A", "B", "-", ":", "\u00e1", "\u0161");
const text = fc.array(letters, { maxLength: 40 }).map((characters) => characters.join(""));
const word = fc.array(fc.constantFrom("a", "b", "-", ":"), { minLength: 2, maxLength: 5 })
  .map((characters) => characters.join(""));

Deno.test("compileAnchors() finds each place of each anchor, as indexOf does", () => {
  fc.assert(
    fc.property(
      text,
      fc.uniqueArray(fc.tuple(word, fc.boolean()), { maxLength: 6, selector: ([name]) => name }),
      (text, words) => {
        const scan = compileAnchors<string[]>(words.map(([word, ignoreCase]) => ({
          text: word,
          ignoreCase,
          visit: (found, _, at) => void found.push(`${word}@${at}`),
        })));
        const found: string[] = [];
        scan(found, text);
        const expected = words.flatMap(([word, ignoreCase]) => {
          // Only ASCII letters have two cases here.
          const searched = ignoreCase ? text.replaceAll(/[A-Z]/g, (c) => c.toLowerCase()) : text;
          const places: string[] = [];
          for (let at = searched.indexOf(word); at >= 0; at = searched.indexOf(word, at + 1)) {
            places.push(`${word}@${at}`);
          }
          return places;
        });
        assert.deepEqual(found.toSorted(), expected.toSorted());
      },
    ),
    { numRuns: 500, seed: 7 },
  );
});

Deno.test("compileAnchors() finds nothing in texts shorter than an anchor", () => {
  const scan = compileAnchors<string[]>([{
    text: "ab",
    visit: (found) => void found.push("ab"),
  }]);
  const found: string[] = [];
  for (const text of ["", "a", "b", "ba"]) scan(found, text);
  assert.deepEqual(found, []);
  scan(found, "ab");
  assert.deepEqual(found, ["ab"]);
});
