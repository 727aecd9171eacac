import assert from "node:assert/strict";
import {
  createAuthenticator,
  LOCAL_PRINCIPAL,
  type TokenVerifier,
} from "../../src/auth/authenticate.ts";
import type { Principal } from "../../src/model/principal.ts";

const ADA: Principal = { ...LOCAL_PRINCIPAL, sub: "ada", issuer: "keys" };
const AUDIENCE = "https://gate.example/mcp";

/** Knows one token; remembers what it was asked. */
function verifierOf(known: string, principal: Principal) {
  const asked: string[][] = [];
  const verify: TokenVerifier = (token, audience) => {
    asked.push([token, audience]);
    return Promise.resolve(token === known ? principal : null);
  };
  return { asked, verify };
}

const refused = (state: RegExp) => ({
  code: "ERR_UNAUTHENTICATED",
  message: state,
  hint: /Authorization: Bearer/,
});

Deno.test("the first verifier that knows a token names the principal, the others are not asked", async () => {
  const first = verifierOf("one", ADA);
  const second = verifierOf("two", { ...ADA, sub: "bob" });
  const third = verifierOf("two", { ...ADA, sub: "eve" });
  const verifiers = [first.verify, second.verify, third.verify];
  const auth = createAuthenticator({ anonymous: false, verifiers });
  assert.equal((await auth.authenticate("two", AUDIENCE)).sub, "bob");
  assert.deepEqual(first.asked, [["two", AUDIENCE]]);
  assert.deepEqual(third.asked, []);
});

Deno.test("without authentication a request without a token is local, one with a wrong token is refused", async () => {
  const { verify } = verifierOf("good", ADA);
  const auth = createAuthenticator({ anonymous: true, verifiers: [verify] });
  assert.deepEqual(await auth.authenticate(null, AUDIENCE), LOCAL_PRINCIPAL);
  assert.equal(await auth.authenticate("good", AUDIENCE), ADA);
  await assert.rejects(auth.authenticate("bad", AUDIENCE), refused(/is not valid/));
  await assert.rejects(auth.authenticate("", AUDIENCE), refused(/is not valid/));
});

Deno.test("where a credential is needed, none and a wrong one are refused alike", async () => {
  const { verify, asked } = verifierOf("good", ADA);
  const auth = createAuthenticator({ anonymous: false, verifiers: [verify] });
  await assert.rejects(auth.authenticate(null, AUDIENCE), refused(/there is no credential/));
  assert.deepEqual(asked, []);
  await assert.rejects(auth.authenticate("bad", AUDIENCE), refused(/is not valid/));
});

Deno.test("what a verifier throws is the answer: a later one does not get the token", async () => {
  const later = verifierOf("t", ADA);
  const failing: TokenVerifier = () => Promise.reject(new Error("store is away"));
  const auth = createAuthenticator({ anonymous: true, verifiers: [failing, later.verify] });
  await assert.rejects(auth.authenticate("t", AUDIENCE), /store is away/);
  assert.deepEqual(later.asked, []);
});
