import assert from "node:assert/strict";
import { createCounter, createHistogram, gaugeLines } from "../../src/usage/prometheus.ts";

Deno.test("a counter sums by its labels", () => {
  const counter = createCounter("calls_total", "Calls");
  counter.add({ server: "a" }, 1);
  counter.add({ server: "a" }, 2);
  counter.add({}, 5);
  assert.deepEqual(counter.lines(), [
    "# HELP calls_total Calls",
    "# TYPE calls_total counter",
    'calls_total{server="a"} 3',
    "calls_total 5",
  ]);
});

Deno.test("a value of a label cannot end its text or its line", () => {
  const lines = gaugeLines("g", "G", [[{ reason: 'a"b\\c\nd' }, 1]]);
  assert.equal(lines.at(-1), 'g{reason="a\\"b\\\\c\\nd"} 1');
});

Deno.test("buckets of a histogram are cumulative and end with all of them", () => {
  const histogram = createHistogram("s", "Seconds");
  for (const seconds of [0.002, 0.2, 60]) histogram.observe({ server: "a" }, seconds);
  const text = histogram.lines();
  const bucket = (bound: string) =>
    text.find((line) => line.startsWith(`s_bucket{server="a",le="${bound}"}`))?.split(" ").at(-1);
  assert.deepEqual(["0.002", "0.1", "0.25", "30", "+Inf"].map(bucket), ["1", "1", "2", "2", "3"]);
  assert.ok(text.includes('s_count{server="a"} 3'));
  assert.ok(text.includes('s_sum{server="a"} 60.202'));
});

Deno.test("series are bounded: more are counted without labels", () => {
  const counter = createCounter("c", "C");
  for (let n = 0; n < 5_003; n++) counter.add({ n: `${n}` }, 1);
  counter.add({ n: "0" }, 1);
  const lines = counter.lines();
  assert.equal(lines.length, 2 + 5_001);
  assert.ok(lines.includes("c 3"));
  assert.ok(lines.includes('c{n="0"} 2'));
});
