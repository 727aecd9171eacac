import assert from "node:assert/strict";
import { createAuditKeys, type PayloadKeys } from "../../../src/audit/chain/audit_keys.ts";
import { createSealer } from "../../../src/audit/payloads/sealer.ts";

const [oldKey] = createAuditKeys().payloadKeys;
const [newKey] = createAuditKeys().payloadKeys;

Deno.test("open() gives back what seal() was given, also after a new key came", async () => {
  let keys: PayloadKeys = [oldKey];
  const sealer = createSealer(() => keys);
  for (const text of ["", "日本 \ufffd", "x".repeat(100_000)]) {
    keys = [oldKey];
    const sealed = await sealer.seal(text, "place");
    assert.ok(!sealed.sealed.includes(text.slice(0, 20)) || text === "");
    keys = [newKey, oldKey];
    assert.equal(await sealer.open(sealed, "place"), text);
  }
});

Deno.test("open() gives nothing in another place, with another key, and of changed text", async () => {
  let keys: PayloadKeys = [oldKey];
  const sealer = createSealer(() => keys);
  const sealed = await sealer.seal("secret", "place");
  assert.equal(await sealer.open(sealed, "elsewhere"), null);
  const bytes = Uint8Array.fromBase64(sealed.sealed);
  for (const at of [0, 12, 28, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(await sealer.open({ ...sealed, sealed: changed.toBase64() }, "place"), null);
  }
  assert.equal(await sealer.open({ ...sealed, sealed: "" }, "place"), null);
  keys = [newKey];
  assert.equal(await sealer.open(sealed, "place"), null);
  assert.equal(await sealer.open({ ...sealed, key: newKey.id }, "place"), null);
});
