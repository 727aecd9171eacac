import assert from "node:assert/strict";
import { keyOf } from "../../src/store/keys.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { serviceSecret } from "../../src/store/service_secret.ts";

Deno.test("serviceSecret() makes 32 bytes once, for every replica and each name", async () => {
  const store = createMemoryStore();
  const [one, two] = await Promise.all([serviceSecret(store, "a"), serviceSecret(store, "a")]);
  assert.equal(one?.length, 32);
  assert.deepEqual(one, two);
  assert.deepEqual(await serviceSecret(store, "a"), one);
  assert.notDeepEqual(await serviceSecret(store, "b"), one);
});

Deno.test("serviceSecret() reads a secret that was stored before", async () => {
  const store = createMemoryStore();
  const hex = "dbe87f93e00a69d26322b0477d8a2aa0e9e20f9e8bd9d884293b7fdc44772876";
  await store.put([{ key: "service-secret/session-ids", value: hex }]);
  assert.equal((await serviceSecret(store, "session-ids")).toHex(), hex);
});

Deno.test("serviceSecret() refuses what is not a secret, and leaves it", async () => {
  const store = createMemoryStore();
  for (const value of [7, "", "abcd", "g".repeat(64), { hex: "ab" }]) {
    await store.put([{ key: keyOf.serviceSecret("a"), value }]);
    await assert.rejects(serviceSecret(store, "a"), {
      code: "ERR_STORE",
      message: /secret of the service.*"service-secret\/a"/,
      hint: /backup/,
    });
    assert.deepEqual((await store.get(keyOf.serviceSecret("a")))?.value, value);
  }
});
