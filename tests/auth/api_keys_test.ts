import assert from "node:assert/strict";
import { createApiKeys } from "../../src/auth/api_keys.ts";
import type { Json } from "../../src/model/json/json.ts";
import { prefixOf } from "../../src/store/keys.ts";
import { openStore } from "../../src/store/open_store.ts";

async function setUp() {
  const store = await openStore("memory:");
  let time = Date.parse("2026-01-01T00:00:00Z");
  return {
    store,
    keys: createApiKeys({ store, now: () => time }),
    pass: (ms: number) => void (time += ms),
  };
}

/** The last 43 characters; base64url may hold the separator itself. */
function secretOf(key: string): string {
  return key.slice(-43);
}

Deno.test("a key is verified into a principal with its groups, scopes and spaces", async () => {
  const { keys } = await setUp();
  const { key, id } = await keys.create({
    name: "ci",
    groups: ["eng"],
    scopes: ["search"],
    spaces: ["shop"],
  });
  assert.deepEqual(await keys.verify(key, ""), {
    sub: "ci",
    issuer: "keys",
    client: id,
    claims: { groups: ["eng"] },
    scopes: ["search"],
    spaces: ["shop"],
  });
});

Deno.test("the secret is nowhere in the store nor in a list", async () => {
  const { keys, store } = await setUp();
  const { key } = await keys.create({ name: "ci" });
  const secret = secretOf(key);
  assert.equal(secret.length, 43);
  assert.ok(!JSON.stringify(await store.list(prefixOf.apiKeys())).includes(secret));
  assert.ok(!JSON.stringify(await keys.list()).includes(secret));
  assert.ok(!JSON.stringify(await keys.list()).includes("Sha256"));
});

Deno.test("a wrong secret, a foreign id and every malformed key are refused", async () => {
  const { keys } = await setUp();
  const one = (await keys.create({ name: "one" })).key;
  const two = (await keys.create({ name: "two" })).key;
  const mixed = one.slice(0, -43) + secretOf(two);
  for (const bad of [mixed, `${one}x`, one.slice(0, -1), "tg__", "", "tg_0_0", one.toUpperCase()]) {
    assert.equal(await keys.verify(bad, ""), null, bad);
  }
});

Deno.test("a key ends at its expiry and with its revocation", async () => {
  const { keys, pass } = await setUp();
  const short = await keys.create({ name: "short", expiresInMs: 1_000 });
  pass(999);
  assert.notEqual(await keys.verify(short.key, ""), null);
  pass(1);
  assert.equal(await keys.verify(short.key, ""), null);
  assert.equal(await keys.principalOf(short.id), null);
  const long = await keys.create({ name: "long" });
  assert.equal(await keys.revoke(long.id), true);
  assert.equal(await keys.verify(long.key, ""), null);
  assert.equal(await keys.revoke(long.id), false);
});

Deno.test("a key without a name or with an unknown scope is not made, with the remedy", async () => {
  const { keys } = await setUp();
  await assert.rejects(keys.create({ name: " " }), { code: "ERR_BAD_REQUEST" });
  await assert.rejects(keys.create({ name: "x", scopes: ["serch"] }), /"serch"/);
  await assert.rejects(keys.create({ name: "x", expiresInMs: 0 }), /expired/);
  await keys.create({ name: "x", scopes: ["execute", "github:write"] });
});

Deno.test("a key that is limited to spaces has no scope over the whole service", async () => {
  const { keys, store } = await setUp();
  for (const scope of ["audit", "auditor", "admin"]) {
    const request = { name: "x", scopes: ["execute", scope], spaces: ["shop"] };
    await assert.rejects(keys.create(request), new RegExp(`"${scope}" is about the whole service`));
  }
  const { key } = await keys.create({ name: "x", scopes: ["search", "audit"] });
  assert.deepEqual((await keys.verify(key, ""))?.scopes, ["search", "audit"]);
  const [entry] = await store.list(prefixOf.apiKeys(), { limit: 1 });
  assert.ok(entry !== undefined);
  const narrowed = { ...entry.value as { [name: string]: Json }, spaces: ["shop"] };
  await store.put([{ key: entry.key, value: narrowed }]);
  assert.deepEqual((await keys.verify(key, ""))?.scopes, ["search"], "nor one from elsewhere");
});

const STORED_BEFORE = {
  id: "1dc055d47d9efa78",
  name: "ci",
  groups: [],
  scopes: ["search", "execute"],
  spaces: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  expiresAt: null,
  secretSha256: "e8ed140db135f0ee2cfc51794f1913517fcf39fd5ca9a1a3aefcdf6d077cf1c4",
};
const KEY_BEFORE = "tg_1dc055d47d9efa78_URBccTpVMwsmMU9H6DZP2OegBbK0ikd9AYi1HmZwOno";

Deno.test("a key that an earlier version stored is verified, listed and found", async () => {
  const { keys, store } = await setUp();
  await store.put([{ key: "api-key/1dc055d47d9efa78", value: STORED_BEFORE }]);
  assert.equal((await keys.verify(KEY_BEFORE, ""))?.sub, "ci");
  assert.equal((await keys.principalOf("1dc055d47d9efa78"))?.client, "1dc055d47d9efa78");
  const { secretSha256: _, ...shown } = STORED_BEFORE;
  assert.deepEqual(await keys.list(), [shown]);
});

Deno.test("a stored key that does not fit opens nothing, and can be revoked", async () => {
  const { keys, store } = await setUp();
  const place = "api-key/1dc055d47d9efa78";
  const { expiresAt: _, ...withoutExpiry } = STORED_BEFORE;
  const misfits: readonly Json[] = [
    withoutExpiry,
    { ...STORED_BEFORE, expiresAt: "soon" },
    { ...STORED_BEFORE, spaces: "shop" },
    { ...STORED_BEFORE, scopes: null },
    {},
    "text",
  ];
  for (const value of misfits) {
    await store.put([{ key: place, value }]);
    const uses = [
      () => keys.verify(KEY_BEFORE, ""),
      () => keys.principalOf("1dc055d47d9efa78"),
      () => keys.list(),
    ];
    for (const use of uses) {
      await assert.rejects(use, {
        code: "ERR_STORE",
        message: /an API key as stored under "api-key\/1dc055d47d9efa78"/,
        hint: /keys revoke/,
      });
    }
    assert.deepEqual((await store.get(place))?.value, value);
  }
  assert.equal(await keys.revoke("1dc055d47d9efa78"), true);
  assert.deepEqual(await keys.list(), []);
});

Deno.test("a key for longer than dates have four digits can be used", async () => {
  const { keys } = await setUp();
  const { key, expiresAt } = await keys.create({
    name: "x",
    expiresInMs: 8_000 * 366 * 86_400_000,
  });
  assert.match(expiresAt ?? "", /^\+01/);
  assert.equal((await keys.verify(key, ""))?.sub, "x");
});
