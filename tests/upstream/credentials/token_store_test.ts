import assert from "node:assert/strict";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { createTokenStore } from "../../../src/upstream/credentials/token_store.ts";

Deno.test("sealed texts are stored by place, listed by their start, and end with their time", async () => {
  let now = 0;
  const store = createMemoryStore(() => now);
  const tokens = createTokenStore(store);
  assert.equal(await tokens.get("grant/mail/abc"), null);
  await tokens.put("grant/mail/abc", "one");
  await tokens.put("grant/pay%20me/abc", "two");
  await tokens.put("pending/x", "three", { ttlMs: 10 });
  assert.equal(await tokens.get("grant/mail/abc"), "one");
  assert.deepEqual(await tokens.list("grant/pay%20me/", 5), ["grant/pay%20me/abc"]);
  assert.equal((await tokens.list("grant/", 1)).length, 1);
  now = 10;
  assert.equal(await tokens.get("pending/x"), null);
  await tokens.delete("grant/mail/abc");
  assert.equal(await tokens.get("grant/mail/abc"), null);
});

Deno.test("a token that an earlier version stored is found under the same key", async () => {
  const store = createMemoryStore();
  await store.put([{ key: "user-token/grant/mail/abc", value: "aXY=.ZGF0YQ==" }]);
  assert.equal(await createTokenStore(store).get("grant/mail/abc"), "aXY=.ZGF0YQ==");
});

Deno.test("what is not a sealed text is an error, and connecting again replaces it", async () => {
  const store = createMemoryStore();
  const tokens = createTokenStore(store);
  for (const value of [7, {}, ["aXY="]]) {
    await store.put([{ key: "user-token/grant/mail/abc", value }]);
    await assert.rejects(tokens.get("grant/mail/abc"), {
      code: "ERR_STORE",
      message: /person's account.*"user-token\/grant\/mail\/abc"/,
      hint: /Connect the account again/,
    });
    assert.deepEqual((await store.get("user-token/grant/mail/abc"))?.value, value);
  }
  await tokens.put("grant/mail/abc", "new");
  assert.equal(await tokens.get("grant/mail/abc"), "new");
});
