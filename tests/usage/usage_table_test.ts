import assert from "node:assert/strict";
import { createUsageTable, OTHER_GROUPS, SHARED_SUMS } from "../../src/usage/usage_table.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 3, 1);
const period = { since: START, until: START + 3 * DAY_MS, usdPerMillionTokens: 3 };

Deno.test("a fact counts for everything, for its day and for each of its groups", () => {
  const table = createUsageTable({ ...period, by: "group" });
  const sums = table.sumsOf(["a", "b"], START + DAY_MS);
  assert.equal(sums.length, SHARED_SUMS + 2);
  for (const one of sums) one.calls++;
  const { total, rows, days } = table.usage();
  assert.equal(total.calls, 1);
  assert.deepEqual(rows.map(({ key, calls }) => [key, calls]), [["a", 1], ["b", 1]]);
  assert.deepEqual(days.map(({ key, calls }) => [key, calls]), [
    ["2026-04-01", 0],
    ["2026-04-02", 1],
    ["2026-04-03", 0],
  ]);
});

Deno.test("by day there are no other groups: the rows are the days", () => {
  const table = createUsageTable({ ...period, by: "day" });
  assert.equal(table.sumsOf(["a"], START).length, SHARED_SUMS);
  const { rows, days } = table.usage();
  assert.deepEqual(rows, days);
});

Deno.test("above their bound groups are counted together, and those that are known go on", () => {
  const table = createUsageTable({ ...period, by: "client", groupsMax: 2 });
  for (const key of ["a", "b", "c", "d", "a"]) {
    for (const sums of table.sumsOf([key], START)) sums.calls++;
  }
  const { rows } = table.usage();
  assert.deepEqual(rows.map(({ key, calls }) => [key, calls]), [
    [OTHER_GROUPS, 2],
    ["a", 2],
    ["b", 1],
  ]);
});

Deno.test("the most expensive come first, then the busiest, then by name", () => {
  const table = createUsageTable({ ...period, by: "client" });
  const sumsOf = (key: string) => table.sumsOf([key], START)[SHARED_SUMS];
  for (const key of ["z", "y", "busy", "dear"]) assert.ok(sumsOf(key) !== undefined);
  Object.assign(sumsOf("dear") ?? {}, { toolUsd: 1 });
  Object.assign(sumsOf("busy") ?? {}, { calls: 5 });
  assert.deepEqual(table.usage().rows.map(({ key }) => key), ["dear", "busy", "y", "z"]);
});

Deno.test("a period of many years has a bounded number of days, the newest", () => {
  const table = createUsageTable({ ...period, by: "day", since: 0, until: START });
  const { days } = table.usage();
  assert.ok(days.length <= 1_001, `${days.length}`);
  assert.equal(days.at(-1)?.key, "2026-03-31");
});
