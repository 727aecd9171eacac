import assert from "node:assert/strict";
import { LOCAL_PRINCIPAL } from "../../src/auth/authenticate.ts";
import { localVerifier } from "../../src/auth/local_verifier.ts";

Deno.test("only the whole local token is the local operator", async () => {
  const verify = localVerifier("secret-é");
  assert.deepEqual(await verify("secret-é", ""), { ...LOCAL_PRINCIPAL, client: "cli" });
  for (const token of ["", "secret-", "secret-e", "secret-é ", "SECRET-É", "secret-éé"]) {
    assert.equal(await verify(token, ""), null, token);
  }
});
