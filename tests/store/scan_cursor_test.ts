import assert from "node:assert/strict";
import { compareNewestFirst, formatCursor, parseCursor } from "../../src/store/scan_cursor.ts";

const entry = { principal: "", tool: "", execution: "", body: "" };

Deno.test("a cursor is read as the place that it was made of", () => {
  for (const log of ["main", "", 'a"b\n', "é"]) {
    assert.deepEqual(parseCursor(formatCursor({ ...entry, log, seq: 7, ts: 9 })), {
      log,
      seq: 7,
      ts: 9,
    });
  }
});

Deno.test("what is not a cursor is refused, and not repeated at length", () => {
  for (const text of ["", "{}", "[1,2]", "[1,2,3]", '["1",2,"a"]', '[1,2,"a",4]', "[1,2", "null"]) {
    assert.throws(() => parseCursor(text), RangeError, text);
  }
  assert.throws(
    () => parseCursor("x".repeat(100_000)),
    ({ message }: Error) => message.length < 200,
  );
});

Deno.test("the newest comes first: by time, then log, then number, all descending", () => {
  const places = [
    { ts: 2, log: "a", seq: 0 },
    { ts: 1, log: "b", seq: 1 },
    { ts: 1, log: "b", seq: 0 },
    { ts: 1, log: "a", seq: 9 },
  ];
  assert.deepEqual(places.toReversed().sort(compareNewestFirst), places);
  for (const place of places) assert.equal(compareNewestFirst(place, { ...place }), 0);
});
