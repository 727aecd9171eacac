import assert from "node:assert/strict";
import { createSessionSigner } from "../../src/mcp/session_id.ts";

const CLAIMS = { principal: "ab", space: "default", expiresAt: 1_000, nonce: "n" };
const secret = (fill: number) => new Uint8Array(32).fill(fill);

Deno.test("a signed session id is accepted by any replica with the same secret", () => {
  const id = createSessionSigner(secret(1)).sign(CLAIMS);
  assert.deepEqual(createSessionSigner(secret(1)).verify(id, 999), CLAIMS);
});

Deno.test("a session id is refused when expired, forged, cut or signed by another secret", () => {
  const signer = createSessionSigner(secret(1));
  const id = signer.sign(CLAIMS);
  const [body = "", mac = ""] = id.split(".");
  const forged = new TextEncoder().encode(JSON.stringify({ ...CLAIMS, space: "admin" }))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  assert.equal(signer.verify(id, 1_000), null);
  for (
    const bad of [`${forged}.${mac}`, body, `${body}.`, "", ".", "x".repeat(2_000), `${body}.!`]
  ) {
    assert.equal(signer.verify(bad, 0), null, bad.slice(0, 40));
  }
  assert.equal(createSessionSigner(secret(2)).verify(id, 0), null);
});
