import assert from "node:assert/strict";
import { parseMoment, parseSpanMs } from "../../src/cli/time.ts";

const NOW = Date.parse("2026-04-10T12:00:00Z");

Deno.test("parseSpanMs() reads spans with a unit and refuses the rest", () => {
  const spans = ["500ms", "15s", "15m", "12h", "90d", "2w"].map((text) => parseSpanMs(text, "--x"));
  assert.deepEqual(spans, [500, 15_000, 900_000, 43_200_000, 7_776_000_000, 1_209_600_000]);
  for (const text of ["", "90", "d", "-1d", "1.5d", "1y", "1d2h", "9999999999d"]) {
    assert.throws(() => parseSpanMs(text, "--expires"), /"--expires" is not a span/);
  }
});

Deno.test("parseMoment() reads dates, times in UTC or with a zone, and spans ago", () => {
  const moments: [string, string][] = [
    ["2026-04-01", "2026-04-01T00:00:00.000Z"],
    ["2026-04-01T08:30", "2026-04-01T08:30:00.000Z"],
    ["2026-04-01 08:30:05", "2026-04-01T08:30:05.000Z"],
    ["2026-04-01T08:30:05.25Z", "2026-04-01T08:30:05.250Z"],
    ["2026-04-01T08:30+02:00", "2026-04-01T06:30:00.000Z"],
    ["1h", "2026-04-10T11:00:00.000Z"],
  ];
  for (const [text, expected] of moments) {
    assert.equal(new Date(parseMoment(text, "--since", NOW)).toISOString(), expected);
  }
});

Deno.test("parseMoment() refuses what is not a moment", () => {
  const texts = [
    ...["yesterday", "2026", "2026-13-01", "01.04.2026", "", "2026-04-01T25:00", "2026-02-30"],
    ...[
      "2026-11-31",
      "2025-02-29",
      "2026-04-01T24:00",
      "2026-04-01T08:60",
      "2026-04-01T08:30+25:00",
    ],
  ];
  for (const text of texts) {
    assert.throws(() => parseMoment(text, "--since", NOW), /"--since" is not a time/);
  }
});
