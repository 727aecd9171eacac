import assert from "node:assert/strict";
import { createCatalogRecords } from "../../src/catalog/catalog_records.ts";
import type { Json } from "../../src/model/json/json.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";

/** As the versions before wrote them, with and without what was added later. */
const LISTING = {
  listedAt: 1_767_225_600_000,
  listing: {
    title: "Orders",
    identity: "https://orders.example/mcp",
    tools: [{ name: "list", inputSchema: { type: "object" } }, "not a definition"],
    resources: [],
    prompts: [],
    skipped: [{ name: "x", reason: "no schema" }],
  },
};
const PINS = {
  baselineAt: 1_767_225_600_000,
  approved: { "tool:list": "a".repeat(64) },
  blocked: ["tool:drop"],
  replaced: { "tool:list": { kind: "tool", name: "list", server: "orders", identity: "test" } },
  holders: { list: "tool:list" },
};
const SHAPE = {
  types: ["array"],
  items: { types: ["object"], properties: { id: { types: ["string"] } }, required: ["id"] },
};
const noLog = () => {};
const OBSERVED = { "tool:list": { shape: SHAPE, results: 3 } };

Deno.test("what was saved of a server is loaded, and a server without records has none", async () => {
  const store = createMemoryStore();
  const records = createCatalogRecords(store, noLog);
  assert.equal(await records.loadListing("orders"), null);
  assert.equal(await records.loadPins("orders"), null);
  assert.deepEqual(await records.loadObservations("orders"), {});
  const listing = { ...LISTING.listing, description: "All orders", isHttpApi: true };
  await records.saveListing("orders", { listedAt: 5, listing });
  await records.saveObservations("orders", OBSERVED);
  assert.deepEqual(await records.loadListing("orders"), { listedAt: 5, listing });
  assert.deepEqual(await records.loadObservations("orders"), OBSERVED);
});

Deno.test("of two replicas that save pins over the same ones, one has to look again", async () => {
  const records = createCatalogRecords(createMemoryStore(), noLog);
  const pins = { baselineAt: 1, approved: {}, blocked: [], waiting: {}, replaced: {}, holders: {} };
  assert.equal(await records.savePins("orders", pins, null), true);
  assert.equal(await records.savePins("orders", { ...pins, blocked: ["tool:x"] }, null), false);
  const stored = await records.loadPins("orders");
  assert.deepEqual(stored?.pins, pins);
  assert.equal(await records.savePins("orders", pins, stored?.revision ?? null), true);
});

Deno.test("records of earlier versions are loaded as they are", async () => {
  const store = createMemoryStore();
  await store.put([
    { key: "catalog/snapshot/orders", value: LISTING },
    { key: "catalog/pins/orders", value: PINS },
    { key: "catalog/observed/orders", value: OBSERVED },
  ]);
  const records = createCatalogRecords(store, noLog);
  assert.deepEqual(await records.loadListing("orders"), LISTING);
  assert.deepEqual((await records.loadPins("orders"))?.pins, PINS);
  assert.deepEqual(await records.loadObservations("orders"), OBSERVED);
});

Deno.test("pins that do not fit are an error that names them, and are not replaced", async () => {
  const store = createMemoryStore();
  const records = createCatalogRecords(store, noLog);
  const { approved: _, ...withoutApproved } = PINS;
  const cases: readonly (readonly [Json, RegExp])[] = [
    [{}, /baselineAt/],
    [withoutApproved, /approved/],
    [{ ...PINS, approved: { "tool:list": null } }, /approved: not a table of texts/],
  ];
  const key = "catalog/pins/orders";
  for (const [value, reason] of cases) {
    await store.put([{ key, value }]);
    await assert.rejects(
      records.loadPins("orders"),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "ERR_STORE");
        assert.ok(error.message.includes(`"${key}"`), error.message);
        assert.match(error.message, reason);
        assert.match(error.hint ?? "", /backup/);
        return true;
      },
    );
    assert.deepEqual((await store.get(key))?.value, value);
  }
});

Deno.test("a listing or observation that does not fit is told, and made again", async () => {
  const store = createMemoryStore();
  const told: string[] = [];
  const records = createCatalogRecords(store, (level, message) => told.push(`${level} ${message}`));
  await store.put([
    { key: "catalog/snapshot/orders", value: { listedAt: 1 } },
    {
      key: "catalog/observed/orders",
      value: { "tool:list": { shape: { types: ["array"], items: 7 }, results: 1 } },
    },
  ]);
  assert.equal(await records.loadListing("orders"), null);
  assert.deepEqual(await records.loadObservations("orders"), {});
  assert.equal(told.length, 2);
  assert.match(
    told[0] ?? "",
    /^warn Cannot use the last listing of a server .*snapshot\/orders.*listing/,
  );
  assert.match(told[1] ?? "", /^warn Cannot use the result types .*shape\.items/);
  await records.saveListing("orders", LISTING);
  assert.deepEqual(await records.loadListing("orders"), LISTING);
});

Deno.test("a replica hears what another one announces, and not itself", async () => {
  const store = createMemoryStore();
  const here = createCatalogRecords(store, noLog);
  const there = createCatalogRecords(store, noLog);
  const heard: string[] = [];
  const arrived = Promise.withResolvers<void>();
  const stop = await here.onAnnounced((server) => {
    heard.push(server);
    arrived.resolve();
  });
  await here.announce("own");
  await there.announce("orders");
  await arrived.promise;
  assert.deepEqual(heard, ["orders"]);
  await stop();
});
