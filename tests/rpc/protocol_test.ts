import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeMessage, readMessages } from "../../src/rpc/protocol.ts";
import { anyCharacter } from "../fakes/any_character.ts";

const message = fc.record({
  kind: fc.constantFrom("c", "l", "d", "f"),
  id: fc.nat(1_000_000),
  fields: fc.array(fc.string({ unit: anyCharacter }), { maxLength: 3 }),
}, { noNullPrototype: true });

Deno.test("readMessages() reads what encodeMessage() wrote, whatever the fields hold", () => {
  fc.assert(fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
    const text = messages.map((entry) => encodeMessage(entry.kind, entry.id, entry.fields)).join(
      "",
    );
    assert.deepEqual(readMessages(text, 10), messages);
  }));
});

Deno.test("readMessages() takes any text without throwing", () => {
  fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => {
    const messages = readMessages(text, 10);
    return messages === null || messages.length <= 10;
  }));
});

Deno.test("readMessages() refuses malformed heads, lengths beyond the text and too many messages", () => {
  const wrong = [
    "c",
    "c 1",
    "cc 1\n",
    "c x\n",
    "c 1 5\nabc",
    "c 1 -1\n",
    "c 1 1e9\n",
    "c 1 1 1 1 1 1\n",
    " \n",
  ];
  for (const text of wrong) assert.equal(readMessages(text, 10), null, JSON.stringify(text));
  const one = encodeMessage("l", 0, ["log", "x"]);
  assert.equal(readMessages(one.repeat(10), 10)?.length, 10);
  assert.equal(readMessages(one.repeat(11), 10), null);
  assert.equal(readMessages("c " + "1".repeat(100) + "\n", 10), null);
});
