import assert from "node:assert/strict";
import { createTrouble } from "../../../src/audit/write/trouble.ts";

function open() {
  const lines: string[] = [];
  const clock = { now: 1_000 };
  const trouble = createTrouble({ now: () => clock.now, log: (line) => lines.push(line) });
  return { trouble, lines, clock };
}

Deno.test("a trouble keeps its beginning and its count through several failures, until it ends", () => {
  const { trouble, lines, clock } = open();
  trouble.countRefused();
  assert.equal(trouble.describe(), null);
  trouble.begin("the disk is full");
  trouble.countRefused();
  clock.now = 9_000;
  trouble.begin(`the disk is away \ud800${"x".repeat(600)}`);
  trouble.countRefused();
  const { reason, since, refused } = trouble.describe()?.detail ?? {};
  assert.match(`${reason}`, /^the disk is away \ufffdx+$/);
  assert.deepEqual([`${reason}`.length, since, refused], [500, "1970-01-01T00:00:01.000Z", 2]);
  trouble.end();
  trouble.end();
  assert.deepEqual([trouble.reason(), trouble.isUnderWay(), trouble.describe()], [
    null,
    false,
    null,
  ]);
  assert.deepEqual(lines, ["audit: the disk is full", "audit: the store can be written again"]);
});

Deno.test("a commit that takes too long is a reason to refuse and no trouble that the chain tells", () => {
  const { trouble } = open();
  trouble.stall("the store has not answered");
  assert.deepEqual([trouble.reason(), trouble.isUnderWay()], ["the store has not answered", false]);
  assert.equal(trouble.describe(), null);
  trouble.begin("the disk is full");
  assert.equal(trouble.reason(), "the disk is full");
  trouble.stall(null);
  assert.equal(trouble.reason(), "the disk is full");
});

Deno.test("a fence is for good", () => {
  const { trouble } = open();
  trouble.fence("another process writes");
  assert.deepEqual([trouble.isFenced(), trouble.isUnderWay()], [true, true]);
  trouble.end();
  assert.equal(trouble.isFenced(), true);
});
