import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  type Checkpoint,
  createCheckpointSigner,
  isVerifierKey,
  openCheckpoint,
  readCheckpoint,
  splitNotes,
} from "../../../src/audit/chain/checkpoint.ts";

const CHECKPOINT: Checkpoint = {
  chain: "main",
  size: 42,
  root: "0f".repeat(32),
  head: "ab".repeat(32),
  time: "2026-04-01T10:00:00.000Z",
};
const signer = createCheckpointSigner(generateKeyPairSync("ed25519").privateKey, "toolgate");

Deno.test("openCheckpoint() reads what the signer wrote, in the form of a signed note", () => {
  const note = signer.sign(CHECKPOINT);
  const lines = note.split("\n");
  assert.deepEqual(lines.slice(0, 2), ["toolgate/main", "42"]);
  assert.equal(lines[5], "");
  assert.match(lines[6] ?? "", /^— toolgate [A-Za-z0-9+/]{88,92}=*$/);
  assert.deepEqual(openCheckpoint(note, [signer.verifierKey]), CHECKPOINT);
});

Deno.test("openCheckpoint() refuses a note that was changed in any character", () => {
  const note = signer.sign(CHECKPOINT);
  const end = note.indexOf("— ");
  for (let at = 0; at < end; at++) {
    const other = note[at] === "1" ? "2" : "1";
    const changed = note.slice(0, at) + other + note.slice(at + 1);
    assert.equal(openCheckpoint(changed, [signer.verifierKey]), null, `character ${at}`);
  }
});

Deno.test("openCheckpoint() refuses another key, also one with the same name", () => {
  const other = createCheckpointSigner(generateKeyPairSync("ed25519").privateKey, "toolgate");
  const note = signer.sign(CHECKPOINT);
  assert.equal(openCheckpoint(note, [other.verifierKey]), null);
  assert.equal(openCheckpoint(note, []), null);
  assert.deepEqual(openCheckpoint(note, [other.verifierKey, signer.verifierKey]), CHECKPOINT);
  assert.equal(openCheckpoint(note, ["toolgate+00000000+AAAA"]), null);
  assert.deepEqual(readCheckpoint(note), CHECKPOINT);
});

Deno.test("isVerifierKey() knows a key from other text", () => {
  assert.equal(isVerifierKey(signer.verifierKey), true);
  assert.equal(isVerifierKey(`${signer.verifierKey}\n`), true);
  assert.equal(isVerifierKey(signer.verifierKey.replace("toolgate", "other")), false);
  assert.equal(isVerifierKey("hello"), false);
});

Deno.test("splitNotes() finds every note of a file", () => {
  const second = signer.sign({ ...CHECKPOINT, size: 43 });
  const first = signer.sign(CHECKPOINT);
  assert.deepEqual(splitNotes(first + second), [first, second]);
  assert.deepEqual(splitNotes(`${first.slice(0, 30)}\n${second}`), [second]);
  assert.deepEqual(splitNotes(""), []);
});
