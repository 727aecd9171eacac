import assert from "node:assert/strict";
import { emptyChain, extendChain } from "../../../src/audit/chain/chain.ts";
import { readCursor } from "../../../src/audit/ship/place.ts";
import { createShipLine, type ShipLine, statusOf } from "../../../src/audit/ship/ship_line.ts";
import { shipRound } from "../../../src/audit/ship/ship_round.ts";
import type { ShipBatch } from "../../../src/audit/ship/sink.ts";
import { AuditSchema } from "../../../src/config/schema.ts";
import { DialError } from "../../../src/dial/dial_error.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { Store } from "../../../src/store/store.ts";

const TO = "https://siem.example/in?token=s3cret";

/** A store with three chains of some records each, and a sink whose answers the test gives. */
async function withChains(
  run: (fixture: {
    readonly line: ShipLine;
    readonly lines: readonly string[];
    round(holder?: string): Promise<void>;
    cursor(): Promise<{ readonly [chain: string]: number }>;
  }) => Promise<void>,
  answer: (batch: ShipBatch) => void,
): Promise<void> {
  const store: Store = createMemoryStore();
  for (const chain of ["a", "b", "c"]) {
    const events = Array.from({ length: 4 }, () => ({ event: { kind: "search" } as const, ts: 1 }));
    const { links } = extendChain(emptyChain(chain), events);
    await store.append(links.map(({ entry }) => entry));
  }
  const [config] = AuditSchema.parse({ ship: [{ to: TO, every: "1h" }] }).ship;
  assert.ok(config !== undefined);
  const line = createShipLine(config, 0, {
    deliver: (batch) => Promise.try(answer, batch),
  });
  const lines: string[] = [];
  await run({
    line,
    lines,
    round: (holder = "one") =>
      shipRound({
        store,
        log: (level, message) => lines.push(`${level} ${message}`),
        now: () => 5_000,
        retentionMs: 1_000_000,
        holder,
        signal: new AbortController().signal,
      }, line),
    cursor: () => readCursor(store, line.id),
  });
}

Deno.test("shipRound() ships every chain although one before it cannot be shipped", async () => {
  let isBroken = true;
  const taken: string[] = [];
  await withChains(async ({ line, lines, round, cursor }) => {
    await round();
    assert.deepEqual(taken, ["b", "c"]);
    assert.deepEqual({ ...await cursor() }, { b: 4, c: 4 });
    await round();
    const { error, failures, behind, oldestSeconds } = statusOf(line, 5_000);
    assert.deepEqual({ error, failures, behind, oldestSeconds }, {
      error: "it answered 503",
      failures: 2,
      behind: 4,
      oldestSeconds: 5,
    });
    isBroken = false;
    await round();
    assert.deepEqual(taken, ["b", "c", "a"]);
    assert.deepEqual({ ...await cursor() }, { a: 4, b: 4, c: 4 });
    assert.deepEqual(lines, [
      "warn audit: cannot ship to https://siem.example/in: it answered 503",
      "info audit: ships to https://siem.example/in again, after 2 failed tries",
    ]);
    assert.equal(statusOf(line, 5_000).behind, 0);
  }, ({ chain }) => {
    if (chain === "a" && isBroken) throw new Error("it answered 503");
    taken.push(chain);
  });
});

Deno.test("shipRound() counts broken connections of each chain alone", async () => {
  const sizes: string[] = [];
  await withChains(async ({ line, round }) => {
    // A place that ends the connection three times at the same batch gets it in parts.
    await round();
    await round();
    assert.equal(statusOf(line, 0).behind, 12);
    await round();
    assert.equal(statusOf(line, 0).behind, 0);
    assert.deepEqual(sizes, ["a:2", "a:2", "b:2", "b:2", "c:2", "c:2"]);
  }, ({ chain, records }) => {
    if (records.length > 2) throw new DialError("it ended the connection", true);
    sizes.push(`${chain}:${records.length}`);
  });
});

Deno.test("shipRound() leaves a sink to the replica that holds its lease", async () => {
  const taken: string[] = [];
  await withChains(async ({ line, round }) => {
    await round("other");
    taken.length = 0;
    line.error = "it answered 503";
    line.failures = 3;
    await round("one");
    assert.deepEqual(taken, []);
    assert.deepEqual([line.error, line.failures], [null, 0]);
  }, ({ chain }) => void taken.push(chain));
});
