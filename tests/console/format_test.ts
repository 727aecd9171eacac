import assert from "node:assert/strict";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatJson,
  formatMs,
  formatShare,
  formatShort,
  formatTime,
  formatUsd,
} from "../../src/console/format.ts";

Deno.test("times are read without counting digits", () => {
  assert.equal(formatTime(Date.parse("2026-04-01T12:00:03.250Z")), "2026-04-01 12:00:03");
  assert.deepEqual(
    [0.0123, 12.34, 345.6, 3_210, 61_000, 3 * 3_600_000].map(formatMs),
    ["12 µs", "12.3 ms", "346 ms", "3.2 s", "1 min 1 s", "3 h"],
  );
  assert.deepEqual(
    [3_000, 120_000, 7_200_000, 200_000_000].map(formatAgo),
    ["3 s ago", "2 min ago", "2 h ago", "2 d ago"],
  );
});

Deno.test("a time just under the next unit does not show sixty of the smaller one", () => {
  assert.deepEqual([-1, -345_322_549_000, Number.NaN].map(formatMs), Array(3).fill("unknown"));
  assert.deepEqual([-1_000, -60_000].map(formatAgo), ["0 s ago", "ahead of this clock"]);
  assert.equal(formatMs(99.96), "100 ms");
  assert.equal(formatMs(999.6), "1 s");
  assert.equal(formatMs(59_970), "1 min");
  assert.equal(formatMs(119_600), "2 min");
});

Deno.test("counts, sizes, shares and money have the digits that matter", () => {
  assert.deepEqual([9_999, 12_345, 999_949, 4_560_000, 2e9].map(formatShort), [
    "9,999",
    "12.3k",
    "1M",
    "4.56M",
    "2G",
  ]);
  assert.equal(formatCount(1_234_567), "1,234,567");
  assert.deepEqual([640, 1_400, 12_000_000].map(formatBytes), ["640 B", "1.4 kB", "12.0 MB"]);
  assert.deepEqual([0, 0.0042, 0.25, 1_234.5].map(formatUsd), [
    "$0",
    "$0.0042",
    "$0.25",
    "$1,234.50",
  ]);
  assert.equal(formatShare(0.8734), "87.3 %");
});

Deno.test("formatJson() sets JSON for reading and leaves other text alone", () => {
  assert.equal(formatJson('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(formatJson("{broken"), "{broken");
});
