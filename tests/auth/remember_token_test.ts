import assert from "node:assert/strict";
import { LOCAL_PRINCIPAL } from "../../src/auth/authenticate.ts";
import { rememberToken } from "../../src/auth/remember_token.ts";
import type { Principal } from "../../src/model/principal.ts";

Deno.test("the token of a request is remembered for its principal alone", async () => {
  const tokens = new WeakMap<Principal, string>();
  const verify = rememberToken(
    (token) => Promise.resolve(token === "bad" ? null : { ...LOCAL_PRINCIPAL }),
    tokens,
  );
  const one = await verify("one", "");
  const two = await verify("two", "");
  assert.ok(one !== null && two !== null);
  assert.equal(tokens.get(one), "one");
  assert.equal(tokens.get(two), "two");
  assert.equal(await verify("bad", ""), null);
});

Deno.test("what the verifier throws is passed on", async () => {
  const verify = rememberToken(() => Promise.reject(new Error("expired")), new WeakMap());
  await assert.rejects(verify("t", ""), /expired/);
});
