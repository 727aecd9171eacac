import assert from "node:assert/strict";
import { createApiKeys } from "../../src/auth/api_keys.ts";
import { createKey, listKeys, revokeKey } from "../../src/operations/keys.ts";
import { openStore } from "../../src/store/open_store.ts";
import { ADMIN, createTestLog, GROUPS } from "./operation_parts.ts";

async function withKeys(use: (deps: Awaited<ReturnType<typeof openDeps>>) => Promise<void>) {
  const deps = await openDeps();
  try {
    await use(deps);
  } finally {
    await deps.store.close();
  }
}

async function openDeps() {
  const store = await openStore("memory:");
  return {
    store,
    audit: createTestLog(),
    keys: createApiKeys({ store, now: () => 0 }),
    policy: {
      ...GROUPS,
      keyNotes: ({ groups = [] }: { readonly groups?: readonly string[] }) =>
        groups.map((group) => `No group has ${group}`),
    },
  };
}

Deno.test("createKey() gives the secret and what the policy does not know, and records name and id only", async () => {
  await withKeys(async (deps) => {
    const made = await createKey(deps, ADMIN, { name: "ci", groups: ["bots"] });
    assert.match(made.key, /^tg_/);
    assert.deepEqual(made.notes, ["No group has bots"]);
    assert.deepEqual(deps.audit.events.map(({ actor, detail }) => [actor?.sub, detail]), [
      ["ada", { action: "keys.create", id: made.id, name: "ci" }],
    ]);
    assert.equal(JSON.stringify(await listKeys(deps)).includes(made.key), false);
    assert.deepEqual((await listKeys(deps)).map(({ id }) => id), [made.id]);
  });
});

Deno.test("createKey() gives no secret without a record", async () => {
  await withKeys(async (deps) => {
    deps.audit.breakDown();
    await assert.rejects(createKey(deps, ADMIN, { name: "ci" }), { code: "ERR_AUDIT_UNAVAILABLE" });
  });
});

Deno.test("createKey() records nothing of a request that is refused", async () => {
  await withKeys(async (deps) => {
    await assert.rejects(createKey(deps, ADMIN, { name: "" }), { code: "ERR_BAD_REQUEST" });
    assert.deepEqual(deps.audit.events, []);
  });
});

Deno.test("revokeKey() records a key that was there, and refuses one that was not", async () => {
  await withKeys(async (deps) => {
    const { id } = await createKey(deps, ADMIN, { name: "ci" });
    assert.deepEqual(await revokeKey(deps, ADMIN, id), { id, revoked: true });
    assert.deepEqual(await listKeys(deps), []);
    await assert.rejects(revokeKey(deps, ADMIN, id), {
      code: "ERR_NOT_FOUND",
      message: `There is no API key "${id}"`,
    });
    assert.deepEqual(deps.audit.events.map(({ detail }) => detail?.action), [
      "keys.create",
      "keys.revoke",
    ]);
  });
});
