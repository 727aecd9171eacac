import assert from "node:assert/strict";
import { hashLine } from "../../../src/audit/audit_record.ts";
import {
  checkpointOf,
  emptyChain,
  extendChain,
  followEntries,
} from "../../../src/audit/chain/chain.ts";

const event = (ts: number) => ({ event: { kind: "search" } as const, ts });

Deno.test("extendChain() numbers and links records, and takes no time back", () => {
  const start = emptyChain("main");
  const { state, links } = extendChain(start, [event(5_000), event(4_000), event(6_000)]);
  assert.deepEqual(links.map(({ record }) => [record.seq, Date.parse(record.ts)]), [
    [0, 5_000],
    [1, 5_000],
    [2, 6_000],
  ]);
  for (const [index, { record }] of links.entries()) {
    const before = links[index - 1]?.entry.body;
    assert.equal(record.prev, before === undefined ? start.head : hashLine(before));
  }
  assert.equal(state.head, hashLine(links[2]?.entry.body ?? ""));
  const later = extendChain(state, [event(1)]);
  assert.deepEqual([later.links[0]?.record.seq, later.state.ts], [3, 6_000]);
  assert.deepEqual(
    [start.size, start.tree.size(), state.size],
    [0, 0, 3],
    "never changed in place",
  );
});

Deno.test("followEntries() comes to the same state as the writer, in any pieces", () => {
  const events = Array.from({ length: 9 }, (_, n) => event(n));
  const { state, links } = extendChain(emptyChain("main"), events);
  const entries = links.map(({ entry }) => entry);
  for (let cut = 0; cut <= entries.length; cut++) {
    const first = followEntries(emptyChain("main"), entries.slice(0, cut));
    const whole = followEntries(first, entries.slice(cut));
    assert.deepEqual(checkpointOf(whole, 0), checkpointOf(state, 0));
    assert.equal(whole.ts, state.ts);
  }
});
