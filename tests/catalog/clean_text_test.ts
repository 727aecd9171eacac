import { strictEqual } from "node:assert/strict";
import { cleanLine, cleanText, cutText, firstSentence } from "../../src/catalog/clean_text.ts";

Deno.test("cleanText() takes out what renders as nothing", () => {
  strictEqual(cleanText("pay\u200b the\u202e bill\u2066\u{e0041}\ufeff", 100), "pay the bill");
  strictEqual(cleanText("a\u0000b\u001b[31mc\u009b", 100), "a b [31mc");
  strictEqual(cleanText("lone \ud800 half", 100), "lone \ufffd half");
  strictEqual(cleanText("keeps\nlines\tand 日本語 é 🚀", 100), "keeps\nlines\tand 日本語 é 🚀");
});

Deno.test("cleanText() bounds a text at its limit and above", () => {
  strictEqual(cleanText("12345", 5), "12345");
  strictEqual(cleanText("123456", 5), "1234…");
  strictEqual(cleanText("x".repeat(10_000_000), 10).length, 10);
});

Deno.test("cutText() ends at a word where one is near", () => {
  strictEqual(cutText("one two three four", 15), "one two three…");
});

Deno.test("cleanLine() makes one line of many", () => {
  strictEqual(cleanLine("a\n\n  b\u2028c", 100), "a b c");
});

Deno.test("firstSentence() ends where a sentence does", () => {
  strictEqual(firstSentence("Reads v1.2 files. Then stops.", 100), "Reads v1.2 files.");
  strictEqual(
    firstSentence("Use e.g. this one\nwrapped line. Next.", 100),
    "Use e.g. this one wrapped line.",
  );
  strictEqual(
    firstSentence("Moves data (e.g. S3 or R2). Next.", 100),
    "Moves data (e.g. S3 or R2).",
  );
  strictEqual(firstSentence("List runners\nLists all runners of a team.", 100), "List runners");
  strictEqual(firstSentence("<p>Creates a <b>charge</b>.</p> More.", 100), "Creates a charge.");
  strictEqual(firstSentence("读取文件。第二句。", 100), "读取文件。");
  strictEqual(firstSentence("Lists items:\n- one\n- two", 100), "Lists items:");
});
