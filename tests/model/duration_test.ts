import assert from "node:assert/strict";
import { parseDurationMs } from "../../src/model/time/duration.ts";

Deno.test("parseDurationMs() reads a whole number and a unit, and nothing else", () => {
  const durations: readonly (readonly [string, number])[] = [
    ["0s", 0],
    ["500ms", 500],
    ["90s", 90_000],
    ["15m", 900_000],
    ["12h", 43_200_000],
    ["90d", 7_776_000_000],
    ["2w", 1_209_600_000],
  ];
  for (const [text, ms] of durations) assert.equal(parseDurationMs(text), ms, text);
  const others = [
    "",
    "1",
    "s",
    "1.5h",
    "-1s",
    " 1s",
    "1s ",
    "1 s",
    "1y",
    "1S",
    "1h30m",
    "1".repeat(10) + "s",
  ];
  for (const text of others) assert.equal(parseDurationMs(text), null, text);
});
