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
const OBSERVED = { "tool:list": { shape: SHAPE, results: 3 } };

Deno.test("what was saved of a server is loaded, and a server without records has none", async () => {
  const store = createMemoryStore();
  const records = createCatalogRecords(store);
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
  const records = createCatalogRecords(createMemoryStore());
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
  const records = createCatalogRecords(store);
  assert.deepEqual(await records.loadListing("orders"), LISTING);
  assert.deepEqual((await records.loadPins("orders"))?.pins, PINS);
  assert.deepEqual(await records.loadObservations("orders"), OBSERVED);
});

Deno.test("a record that does not fit is an error that names it, and is not replaced", async () => {
  const store = createMemoryStore();
  const records = createCatalogRecords(store);
  const { approved: _, ...withoutApproved } = PINS;
  const cases: readonly (readonly [string, Json, () => Promise<unknown>, RegExp])[] = [
    ["catalog/snapshot/orders", { listedAt: 1 }, () => records.loadListing("orders"), /listing/],
    ["catalog/pins/orders", {}, () => records.loadPins("orders"), /baselineAt/],
    ["catalog/pins/orders", withoutApproved, () => records.loadPins("orders"), /approved/],
    [
      "catalog/pins/orders",
      { ...PINS, approved: { "tool:list": null } },
      () => records.loadPins("orders"),
      /approved: not a table of texts/,
    ],
    [
      "catalog/observed/orders",
      { "tool:list": { shape: { types: ["array"], items: 7 }, results: 1 } },
      () => records.loadObservations("orders"),
      /shape\.items/,
    ],
  ];
  for (const [key, value, load, reason] of cases) {
    await store.put([{ key, value }]);
    await assert.rejects(load(), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, "ERR_STORE");
      assert.ok(error.message.includes(`"${key}"`), error.message);
      assert.match(error.message, reason);
      assert.match(error.hint ?? "", /backup/);
      return true;
    });
    assert.deepEqual((await store.get(key))?.value, value);
  }
});

Deno.test("a replica hears what another one announces, and not itself", async () => {
  const store = createMemoryStore();
  const here = createCatalogRecords(store);
  const there = createCatalogRecords(store);
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
