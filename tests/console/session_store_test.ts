import assert from "node:assert/strict";
import { createSessionStore } from "../../src/console/session_store.ts";
import type { Principal } from "../../src/model/principal.ts";
import { openStore } from "../../src/store/open_store.ts";
import { makePrincipal } from "../policy/sample_tools.ts";

async function withSessions(
  use: (parts: {
    open: (instance?: string) => ReturnType<typeof createSessionStore>;
    keys: Map<string, Principal>;
    clock: { now: number };
    keysInStore: () => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:");
  const keys = new Map<string, Principal>();
  const clock = { now: 1_000_000 };
  try {
    await use({
      keys,
      clock,
      open: (instance = "here") =>
        createSessionStore({
          store,
          instance,
          now: () => clock.now,
          keyPrincipal: (id) => Promise.resolve(keys.get(id) ?? null),
        }),
      keysInStore: async () => JSON.stringify(await store.list("console-session/")),
    });
  } finally {
    await store.close();
  }
}

const KEY = makePrincipal({ sub: "ada", issuer: "keys", client: "k1", scopes: ["audit"] });

Deno.test("a session of a key is what the key is now, on every replica, until it is revoked", async () => {
  await withSessions(async ({ open, keys }) => {
    keys.set("k1", KEY);
    const { id } = await open().openSession(KEY, "credential");
    assert.deepEqual(await open("elsewhere").sessionPrincipal(id), KEY);
    const promoted = { ...KEY, scopes: ["audit", "admin"] };
    keys.set("k1", promoted);
    assert.deepEqual(await open().sessionPrincipal(id), promoted);
    keys.delete("k1");
    assert.equal(await open().sessionPrincipal(id), null);
  });
});

Deno.test("a session ends at its time, not before", async () => {
  await withSessions(async ({ open, keys, clock }) => {
    keys.set("k1", KEY);
    const { id, expiresAtMs } = await open().openSession(KEY, "credential");
    assert.equal(expiresAtMs, clock.now + 12 * 3_600_000);
    clock.now = expiresAtMs - 1;
    assert.deepEqual(await open().sessionPrincipal(id), KEY);
    clock.now = expiresAtMs;
    assert.equal(await open().sessionPrincipal(id), null);
  });
});

Deno.test("a session of an access token ends with the token, one of the issuer's login in an hour", async () => {
  await withSessions(async ({ open, clock }) => {
    const exp = clock.now / 1_000 + 300;
    const token = makePrincipal({ issuer: "https://issuer.example", claims: { exp } });
    const shown = await open().openSession(token, "credential");
    assert.equal(shown.expiresAtMs, clock.now + 300_000);
    const loggedIn = await open().openSession(token, "issuer");
    assert.equal(loggedIn.expiresAtMs, clock.now + 3_600_000);
    assert.deepEqual(await open().sessionPrincipal(loggedIn.id), token);
  });
});

Deno.test("the local operator's session ends with the process", async () => {
  await withSessions(async ({ open }) => {
    const local = makePrincipal({ issuer: "none", client: "cli" });
    const { id } = await open("first").openSession(local, "credential");
    assert.deepEqual(await open("first").sessionPrincipal(id), local);
    assert.equal(await open("second").sessionPrincipal(id), null);
  });
});

Deno.test("an ended or unknown session is nobody", async () => {
  await withSessions(async ({ open, keys }) => {
    keys.set("k1", KEY);
    const sessions = open();
    const { id } = await sessions.openSession(KEY, "credential");
    await sessions.endSession(id);
    assert.equal(await sessions.sessionPrincipal(id), null);
    assert.equal(await sessions.sessionPrincipal("unknown"), null);
    await sessions.endSession("unknown");
  });
});

Deno.test("who reads the store finds no session id in it", async () => {
  await withSessions(async ({ open, keys, keysInStore }) => {
    keys.set("k1", KEY);
    const { id } = await open().openSession(KEY, "credential");
    assert.match(await keysInStore(), /ada/);
    assert.equal((await keysInStore()).includes(id), false);
  });
});

Deno.test("a session that an earlier version stored is known, one that does not fit is nobody's", async () => {
  const id = "I7sXcJ05SbsF9ucCtHTwAQ3DmUzA01rwuFtcIS6RCCI";
  const key = "console-session/f18d326fdb6990c81fdcbe2a87a6651c2b134e78df178a1cf39bef6118cc6577";
  const principal = makePrincipal({
    issuer: "https://issuer.example",
    claims: { exp: 1_900_000_000 },
  });
  const store = await openStore("memory:");
  const sessions = createSessionStore({
    store,
    instance: "here",
    now: () => 1_767_225_600_000,
    keyPrincipal: () => Promise.resolve(null),
  });
  const before = { principal: { ...principal }, expiresAtMs: 1_767_229_200_000, instance: null };
  const value = JSON.parse(JSON.stringify(before));
  await store.put([{ key, value }]);
  assert.deepEqual(await sessions.sessionPrincipal(id), principal);
  const { expiresAtMs: _, ...withoutEnd } = value;
  for (const misfit of [withoutEnd, { ...value, principal: { sub: "ada" } }, {}, "text"]) {
    await store.put([{ key, value: misfit }]);
    await assert.rejects(sessions.sessionPrincipal(id), {
      code: "ERR_STORE",
      message: /session of the console.*"console-session\/f18d/,
      hint: /log in again/,
    });
  }
  await store.close();
});
