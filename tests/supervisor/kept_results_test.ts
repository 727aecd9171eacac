import assert from "node:assert/strict";
import { createAuditKeys } from "../../src/audit/chain/audit_keys.ts";
import { createSealer } from "../../src/audit/payloads/sealer.ts";
import { LOCAL_PRINCIPAL } from "../../src/auth/authenticate.ts";
import { GateError } from "../../src/model/errors.ts";
import type { Json } from "../../src/model/json/json.ts";
import { principalKey } from "../../src/model/principal.ts";
import { keyOf } from "../../src/store/keys.ts";
import { openStore } from "../../src/store/open_store.ts";
import type { Store } from "../../src/store/store.ts";
import {
  createKeptResults,
  type KeptResultsLimits,
} from "../../src/supervisor/program/kept_results.ts";

const ADA = { ...LOCAL_PRINCIPAL, sub: "ada" };
const BOB = { ...LOCAL_PRINCIPAL, sub: "bob" };
const { payloadKeys } = createAuditKeys();

function keep(store: Store, limits: KeptResultsLimits, keys = payloadKeys) {
  const charged: number[] = [];
  const kept = createKeptResults({
    store,
    sealer: createSealer(() => keys),
    now: Date.now,
    onKept: (_, bytes) => charged.push(bytes),
    limits,
  });
  return { ...kept, charged };
}

async function withFile(use: (store: Store, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-kept-" });
  const store = await openStore(`kv:${folder}/t.kv`);
  try {
    await use(store, folder);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function refusal(reading: Promise<string>): Promise<GateError> {
  const error = await reading.then(() => null, (error) => error);
  assert.ok(error instanceof GateError, "it was read");
  assert.equal(error.code, "ERR_NOT_FOUND");
  return error;
}

/** Text that does not compress. */
const noise = (bytes: number) => {
  const parts: string[] = [];
  for (let left = bytes; left > 0; left -= 60_000) {
    parts.push(crypto.getRandomValues(new Uint8Array(Math.min(left, 60_000))).toHex());
  }
  return JSON.stringify(parts.join("")).slice(0, bytes - 1) + '"';
};

Deno.test("a kept result is read by whoever made it, and lies in the store encrypted", async () => {
  await withFile(async (store, folder) => {
    const kept = keep(store, { bytesMax: 1_000_000, resultsMax: 5 });
    const id = crypto.randomUUID();
    const json = JSON.stringify("PLAIN-MARKER ".repeat(50_000));
    const { uri, bytes } = await kept.keep(ADA, id, json);
    assert.equal(bytes, json.length);
    assert.equal(await kept.read(ADA, uri), json);
    assert.match((await refusal(kept.read(BOB, uri))).hint, /60 minutes/);
    const other = keep(store, { bytesMax: 1, resultsMax: 5 }, createAuditKeys().payloadKeys);
    await refusal(other.read(ADA, uri));
    // Moved to another id it does not open: the place is part of what it is sealed with.
    const value = (await store.get(keyOf.keptResult(id)))?.value ?? null;
    const moved = crypto.randomUUID();
    await store.put([{ key: keyOf.keptResult(moved), value }]);
    await refusal(kept.read(ADA, uri.replace(id, moved)));
    for await (const { name } of Deno.readDir(folder)) {
      const stored = await Deno.readFile(`${folder}/${name}`);
      assert.equal(Buffer.from(stored).indexOf("PLAIN-MARKER"), -1, name);
    }
  });
});

Deno.test("the newest results of a principal are kept up to the bounds, and a dropped one says so", async () => {
  await withFile(async (store) => {
    const kept = keep(store, { bytesMax: 400_000, resultsMax: 3 });
    const uris: string[] = [];
    for (let count = 0; count < 6; count++) {
      uris.push((await kept.keep(ADA, crypto.randomUUID(), noise(100_000))).uri);
    }
    const foreign = (await kept.keep(BOB, crypto.randomUUID(), noise(100_000))).uri;
    for (const uri of uris.slice(0, 3)) {
      assert.match((await refusal(kept.read(ADA, uri))).hint, /dropped for newer results/);
      assert.match((await refusal(kept.read(BOB, uri))).hint, /60 minutes/);
    }
    for (const uri of uris.slice(3)) await kept.read(ADA, uri);
    const large = (await kept.keep(ADA, crypto.randomUUID(), noise(900_000))).uri;
    await kept.read(ADA, large);
    for (const uri of uris) await refusal(kept.read(ADA, uri));
    await kept.read(BOB, foreign);
    assert.equal((await store.list("kept-result/")).length, 2);
    assert.equal(kept.charged.length, 8);
  });
});

Deno.test("results that are kept at once stay within the bounds", async () => {
  await withFile(async (store) => {
    const kept = keep(store, { bytesMax: 10_000_000, resultsMax: 4 });
    const keeping = Array.from({ length: 12 }, () => kept.keep(ADA, crypto.randomUUID(), '"x"'));
    const uris = (await Promise.all(keeping)).map(({ uri }) => uri);
    const readings = await Promise.allSettled(uris.map((uri) => kept.read(ADA, uri)));
    assert.equal(readings.filter(({ status }) => status === "fulfilled").length, 4);
    assert.equal((await store.list("kept-result/")).length, 4);
  });
});

Deno.test("what a version before encryption kept is read by its owner until its hour is over", async () => {
  await withFile(async (store) => {
    const kept = keep(store, { bytesMax: 1_000, resultsMax: 4 });
    const id = crypto.randomUUID();
    const value = { owner: principalKey(ADA), json: '"old"' };
    await store.put([{ key: keyOf.keptResult(id), value, ttlMs: 60_000 }]);
    const uri = `toolgate://executions/${id}/result`;
    assert.equal(await kept.read(ADA, uri), '"old"');
    await refusal(kept.read(BOB, uri));
    const damaged: readonly Json[] = [{}, [], "text", { key: 1 }, { key: "x", sealed: "?" }];
    for (const value of damaged) {
      await store.put([{ key: keyOf.keptResult(id), value }]);
      await refusal(kept.read(ADA, uri));
    }
  });
});

Deno.test("the list of an earlier version is continued, and one that does not fit is not replaced", async () => {
  await withFile(async (store) => {
    const kept = keep(store, { bytesMax: 1_000, resultsMax: 4 });
    const key = "kept-results/%5B%22none%22%2C%22ada%22%2C%22local%22%5D";
    const dropped = crypto.randomUUID();
    const line = { id: dropped, bytes: 12, expiresAtMs: Date.now() + 60_000, dropped: true };
    await store.put([{ key, value: [line] }]);
    const { uri } = await kept.keep(ADA, crypto.randomUUID(), '"x"');
    const droppedUri = `toolgate://executions/${dropped}/result`;
    assert.match((await refusal(kept.read(ADA, droppedUri))).hint, /dropped for newer results/);
    for (const value of [{}, "text", [{ id: dropped }], [line, null]]) {
      await store.put([{ key, value }]);
      const expected = { code: "ERR_STORE", message: /kept results/, hint: /Return less/ };
      await assert.rejects(kept.keep(ADA, crypto.randomUUID(), '"y"'), expected);
      assert.deepEqual((await store.get(key))?.value, value);
    }
    assert.equal(await kept.read(ADA, uri), '"x"', "what is kept is read without the list");
  });
});
