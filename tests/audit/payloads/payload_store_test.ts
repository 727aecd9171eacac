import assert from "node:assert/strict";
import { placeEvent } from "../../../src/audit/audit_record.ts";
import { createAuditKeys, type PayloadKeys } from "../../../src/audit/chain/audit_keys.ts";
import type { KeptPayloads } from "../../../src/audit/payloads/payload_box.ts";
import {
  createPayloadStore,
  type LastBox,
  PAYLOAD_CHARACTERS_MAX,
  SHARED_CHARACTERS_MAX,
} from "../../../src/audit/payloads/payload_store.ts";
import { prefixOf } from "../../../src/store/keys.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

const [oldKey] = createAuditKeys().payloadKeys;
const [newKey] = createAuditKeys().payloadKeys;
const SALT = "ab".repeat(16);

const record = (seq: number, chain = "main") =>
  placeEvent({ kind: "call.outcome" }, { chain, seq, ts: Date.now(), prev: "" });
const small = (text: string): KeptPayloads => ({ result: [SALT, text] });

async function open(keys: { current: PayloadKeys } = { current: [oldKey] }) {
  const store = createMemoryStore();
  const payloadStore = createPayloadStore({
    store,
    chain: "main",
    keys: () => keys.current,
    retentionMs: 60_000,
  });
  /** Writes a box of these payloads, by record number. */
  const write = async (payloads: { readonly [seq: string]: KeptPayloads }) => {
    const items = Object.entries(payloads).map(([seq, payloads]) => ({
      seq: Number(seq),
      payloads,
    }));
    const box = payloadStore.pack(items) ?? assert.fail("no box");
    await store.put([box]);
  };
  const textOf = async (seq: number, last?: LastBox) => {
    const found = await payloadStore.find(record(seq), last);
    return found.state === "found" ? found.payloads.result?.[1] : found;
  };
  await write({ 2: small("two"), 4: small("four") });
  await write({ 7: small("seven") });
  return { store, payloadStore, write, textOf };
}

Deno.test("find() finds a record in the box of its batch, and no record that is in none", async () => {
  const { textOf, payloadStore } = await open();
  const last: LastBox = {};
  for (const remembered of [undefined, last]) {
    const texts = await Promise.all([2, 4, 7].map((seq) => textOf(seq, remembered)));
    assert.deepEqual(texts, ["two", "four", "seven"]);
    for (const seq of [0, 1, 3, 5, 6, 8]) {
      assert.deepEqual(await textOf(seq, remembered), { state: "absent" });
    }
  }
  assert.deepEqual(await payloadStore.find(record(2, "other")), { state: "absent" });
  assert.equal(payloadStore.pack([]), null);
});

Deno.test("keep() shares a box up to its bound, stores larger texts alone, and none above the last bound", async () => {
  const { store, payloadStore, write, textOf } = await open();
  const text = (length: number) => ({ result: [SALT, "x".repeat(length)] as const });
  const shared = text(SHARED_CHARACTERS_MAX);
  assert.equal(payloadStore.keep(shared), shared);
  const kept = await payloadStore.keep(text(SHARED_CHARACTERS_MAX + 1));
  assert.ok(kept !== null && "large" in kept && kept.bytes > 0);
  await write({ 9: kept });
  assert.equal((await textOf(9) as string).length, SHARED_CHARACTERS_MAX + 1);
  assert.equal(await payloadStore.keep(text(PAYLOAD_CHARACTERS_MAX + 1)), null);
  assert.equal(await payloadStore.erase(record(9)), true);
  assert.deepEqual(await textOf(9), { state: "absent" });
  assert.deepEqual(await store.list("audit/large-payload/"), []);
});

Deno.test("erase() takes one record's payloads out of a box, with the key in force", async () => {
  const keys: { current: PayloadKeys } = { current: [oldKey] };
  const { payloadStore, textOf } = await open(keys);
  keys.current = [newKey, oldKey];
  assert.equal(await payloadStore.erase(record(2)), true);
  assert.equal(await payloadStore.erase(record(2)), false);
  assert.equal(await payloadStore.erase(record(3)), false);
  assert.deepEqual([await textOf(2), await textOf(4)], [{ state: "absent" }, "four"]);
  keys.current = [newKey];
  assert.equal(await textOf(4), "four");
  assert.deepEqual(await textOf(7), {
    state: "damaged",
    reason: `its key "${oldKey.id}" is not here`,
  });
});

Deno.test("find() says that a box was changed or put into another place", async () => {
  const { store, textOf } = await open();
  const [first, second] = await store.list(prefixOf.auditPayloads("main"));
  assert.ok(first !== undefined && second !== undefined);
  const box = first.value as { [name: string]: string | number };
  for (
    const changed of [{ ...box, last: 9 }, { ...box, first: 1 }, { ...box, box: `AAAA${box.box}` }]
  ) {
    await store.put([{ key: first.key, value: changed }]);
    const found = await textOf(2);
    assert.ok(
      typeof found === "object" && found.state === "damaged",
      JSON.stringify(changed).slice(0, 40),
    );
  }
  await store.put([{ key: first.key, value: "text" }]);
  assert.deepEqual(await textOf(2), { state: "absent" });
});
