import assert from "node:assert/strict";
import fc from "fast-check";
import { makeVisible, splitVisible } from "../../src/console/visible_text.ts";

Deno.test("makeVisible() shows what would hide or reorder text", () => {
  assert.equal(makeVisible("a\u202Eb"), "a⟨U+202E⟩b");
  assert.equal(makeVisible("pay\u200B.refund"), "pay⟨U+200B⟩.refund");
  assert.equal(makeVisible("\u0000\u001b[31m"), "⟨U+0000⟩⟨U+001B⟩[31m");
  assert.equal(makeVisible("\u{E0041}"), "⟨U+E0041⟩");
});

Deno.test("makeVisible() leaves ordinary text of any script alone, and line ends and tabs", () => {
  for (const text of ["", "tools.orders.list()", "Grüße, 世界, مرحبا, 🙂", "a\n\tb"]) {
    assert.equal(makeVisible(text), text);
  }
});

Deno.test("splitVisible() loses nothing: its parts stand for the whole text in order", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const whole = splitVisible(text).map((part) =>
      part.kind === "text" ? part.text : String.fromCodePoint(parseInt(part.text.slice(2), 16))
    ).join("");
    assert.equal(whole, text);
  }));
});
