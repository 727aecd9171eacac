import assert from "node:assert/strict";
import fc from "fast-check";
import { createJsonStructureScanner } from "../../src/rpc/json_structure.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function scan(
  text: string,
  max: { depth?: number; keysPerObject?: number; values?: number },
  pieceBytes = Infinity,
): string | null {
  const scanner = createJsonStructureScanner({
    depth: 1_000,
    keysPerObject: 1_000,
    values: 1_000,
    ...max,
  });
  const bytes = bytesOf(text);
  const size = Math.min(pieceBytes, Math.max(bytes.length, 1));
  for (let at = 0; at < bytes.length; at += size) {
    const found = scanner.scan(bytes.subarray(at, at + size));
    if (found !== null) return found;
  }
  return null;
}

/** The facts that the scan counts, from the built value. */
function measure(value: unknown): { depth: number; keys: number; values: number } {
  if (typeof value !== "object" || value === null) return { depth: 0, keys: 0, values: 1 };
  const members = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...members.map(({ depth }) => depth)),
    keys: Math.max(
      Array.isArray(value) ? 0 : members.length,
      ...members.map(({ keys }) => keys),
    ),
    values: 1 + members.reduce((sum, member) => sum + member.values, 0),
  };
}

Deno.test("a document at the bounds passes and one above any of them does not, in any pieces", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(1, 3, Infinity), (json, piece) => {
      const value = JSON.parse(json);
      const text = JSON.stringify(value, null, 1);
      const { depth, keys, values } = measure(value);
      assert.equal(scan(text, { depth, keysPerObject: keys, values }, piece), null);
      if (values > 1) assert.match(scan(text, { values: values - 1 }, piece) ?? "", /values/);
      if (depth > 0) assert.match(scan(text, { depth: depth - 1 }, piece) ?? "", /nests/);
      if (keys > 0) assert.match(scan(text, { keysPerObject: keys - 1 }, piece) ?? "", /names/);
    }),
    { numRuns: 500 },
  );
});

Deno.test("brackets, colons and commas within strings do not count", () => {
  const text = JSON.stringify(["[[[{{{", ":::,,,", '\\"[', { 'a":': "\\" }]);
  assert.equal(scan(text, { depth: 2, keysPerObject: 1, values: 6 }, 1), null);
});

Deno.test("a name that is repeated counts each time", () => {
  assert.match(scan('{"a":1,"a":2,"a":3}', { keysPerObject: 2 }) ?? "", /more than 2 names/);
});

Deno.test("text that is not JSON is scanned to its end", () => {
  for (const text of ["", "]]]]}}", '"open', "\\", "::::", ",,,,", "\u0000\ufeff"]) {
    assert.equal(scan(text, {}), null);
  }
});
