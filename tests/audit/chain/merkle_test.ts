import fc from "fast-check";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createMerkleTree, hashLeaf } from "../../../src/audit/chain/merkle.ts";

/** The definition of RFC 6962, section 2.1, word for word. */
function rootOf(entries: readonly string[]): Uint8Array {
  if (entries.length === 0) return createHash("sha256").digest();
  if (entries.length === 1) return hashLeaf(entries[0] as string);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return createHash("sha256").update(new Uint8Array([1]))
    .update(rootOf(entries.slice(0, split))).update(rootOf(entries.slice(split))).digest();
}

Deno.test("createMerkleTree() has the root that RFC 6962 defines, at every size", () => {
  const tree = createMerkleTree();
  const entries: string[] = [];
  for (let n = 0; n < 200; n++) {
    assert.equal(tree.root(), rootOf(entries).toHex());
    entries.push(`entry ${n}`);
    tree.append(hashLeaf(`entry ${n}`));
    assert.equal(tree.size(), n + 1);
  }
});

Deno.test("createMerkleTree() goes on from a frontier as if it had never stopped", () => {
  fc.assert(fc.property(fc.nat(300), fc.nat(50), (before, after) => {
    const whole = createMerkleTree();
    for (let n = 0; n < before; n++) whole.append(hashLeaf(String(n)));
    const continued = createMerkleTree(whole.frontier());
    for (let n = 0; n < after; n++) {
      whole.append(hashLeaf(`x${n}`));
      continued.append(hashLeaf(`x${n}`));
    }
    assert.equal(continued.root(), whole.root());
    assert.deepEqual(continued.frontier(), whole.frontier());
  }));
});

Deno.test("createMerkleTree() refuses a frontier that cannot be one", () => {
  const hash = "ab".repeat(32);
  assert.throws(() => createMerkleTree({ size: 3, hashes: [hash] }), RangeError);
  assert.throws(() => createMerkleTree({ size: 1, hashes: ["ab"] }), RangeError);
  assert.throws(() => createMerkleTree({ size: -1, hashes: [] }), RangeError);
  assert.equal(createMerkleTree({ size: 2, hashes: [hash] }).size(), 2);
});
