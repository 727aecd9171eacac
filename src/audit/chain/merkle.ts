/**
 * A Merkle tree over a growing list, kept as its frontier: the roots of the full subtrees on its
 * right edge, O(log n) hashes.
 *
 * @see RFC 6962, section 2.1: leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right).
 */
import { hash } from "node:crypto";

/** The byte 0x00, as UTF-8 text. */
const LEAF = "\0";
const NODE = 0x01;

export interface MerkleFrontier {
  readonly size: number;
  /** Subtree roots as hex, the largest (leftmost) first: one for each bit set in `size`. */
  readonly hashes: readonly string[];
}

export interface MerkleTree {
  append(leafHash: Uint8Array): void;
  size(): number;
  /** Hex; SHA-256 of nothing for an empty tree. */
  root(): string;
  frontier(): MerkleFrontier;
  copy(): MerkleTree;
}

export const EMPTY_FRONTIER: MerkleFrontier = { size: 0, hashes: [] };

export function hashLeaf(entry: string): Uint8Array {
  return hash("sha256", LEAF + entry, "buffer");
}

/** @throws {RangeError} if the hashes cannot be the frontier of that size. */
export function createMerkleTree(from: MerkleFrontier = EMPTY_FRONTIER): MerkleTree {
  const { size } = from;
  if (!Number.isSafeInteger(size) || size < 0 || countBits(size) !== from.hashes.length) {
    throw new RangeError(`Cannot use ${from.hashes.length} hashes as the frontier of ${size}`);
  }
  const hashes = from.hashes.map((hash) => {
    const bytes = Uint8Array.fromHex(hash);
    if (bytes.length !== 32) throw new RangeError("Cannot use a hash that is not 32 bytes");
    return bytes;
  });
  return growTree(size, hashes);
}

function growTree(startSize: number, startHashes: readonly Uint8Array[]): MerkleTree {
  let size = startSize;
  const hashes = [...startHashes];
  return {
    append(leafHash) {
      let hash = leafHash;
      for (let bits = size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
        hash = hashNode(hashes.pop() as Uint8Array, hash);
      }
      hashes.push(hash);
      size++;
    },
    size: () => size,
    root() {
      const last = hashes.at(-1);
      if (last === undefined) return hash("sha256", "", "hex");
      const left = hashes.slice(0, -1);
      return left.reduceRight((right, hash) => hashNode(hash, right), last).toHex();
    },
    frontier: () => ({ size, hashes: hashes.map((hash) => hash.toHex()) }),
    copy: () => growTree(size, hashes),
  };
}

function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(65);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return hash("sha256", bytes, "buffer");
}

function countBits(number: number): number {
  let bits = 0;
  for (let rest = number; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
