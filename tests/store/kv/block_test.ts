import assert from "node:assert/strict";
import { packBlocks, unpackBlock } from "../../../src/store/kv/block.ts";
import { KV_COMMIT } from "../../../src/store/kv/commit.ts";
import { entriesOf, entryOf } from "./kv_fixture.ts";

Deno.test("entries are unpacked as they were packed, with and without kind and effect", () => {
  const entries = [
    entryOf(5),
    entryOf(6, { kind: "call.outcome", effect: "deny", body: "é\n漢" }),
    entryOf(7, { effect: "allow", body: "" }),
    entryOf(8, { kind: "search", tool: "" }),
  ];
  const blocks = packBlocks(entries);
  assert.equal(blocks.length, 1);
  assert.equal(blocks[0]?.firstSeq, 5);
  assert.deepEqual(unpackBlock("r", blocks[0]?.bytes ?? new Uint8Array()), entries);
});

Deno.test("blocks stay within the engine's bound, also of text that does not deflate", () => {
  const noise = () => crypto.getRandomValues(new Uint8Array(10_000)).toHex();
  const entries = entriesOf(0, 40).map((entry) => ({ ...entry, body: noise() }));
  const blocks = packBlocks(entries);
  assert.ok(blocks.length > 5);
  for (const { bytes } of blocks) assert.ok(bytes.length <= KV_COMMIT.valueBytesMax);
  assert.deepEqual(blocks.flatMap(({ bytes }) => unpackBlock("r", bytes)), entries);
  assert.deepEqual(blocks.map(({ firstSeq }) => firstSeq), blocks.map((b) => b.entries[0]?.seq));
});

Deno.test("damaged bytes are an error, not entries", () => {
  const [block] = packBlocks([entryOf(0)]);
  assert.ok(block !== undefined);
  assert.throws(() => unpackBlock("r", block.bytes.slice(0, -3)));
  assert.throws(() => unpackBlock("r", new Uint8Array([1, 2, 3])));
});
