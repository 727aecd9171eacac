import { deepStrictEqual } from "node:assert/strict";
import { FINDINGS_MAX, MESSAGE_LENGTH_MAX, parseFindings } from "../../src/checker/protocol.ts";

const PLAIN = { line: 1, column: 2, message: "wrong" };

Deno.test("parseFindings() keeps the marks that it knows, and only where they are true", () => {
  const marked = { ...PLAIN, isAdvice: true, isObserved: true, isMisspelling: true };
  deepStrictEqual(parseFindings([marked]), [marked]);
  const other = { ...PLAIN, isAdvice: 1, isObserved: "yes", isMisspelling: false, isAdmin: true };
  deepStrictEqual(parseFindings([other]), [PLAIN]);
});

Deno.test("parseFindings() takes no more findings and no longer messages than the protocol allows", () => {
  const longest = { ...PLAIN, message: "x".repeat(MESSAGE_LENGTH_MAX) };
  deepStrictEqual(parseFindings(Array(FINDINGS_MAX).fill(longest))?.length, FINDINGS_MAX);
  deepStrictEqual(parseFindings(Array(FINDINGS_MAX + 1).fill(PLAIN)), null);
  deepStrictEqual(parseFindings([{ ...PLAIN, message: `${longest.message}x` }]), null);
});

Deno.test("parseFindings() refuses what is not a finding, and takes control characters out", () => {
  for (const line of [0, -1, 1.5, 1_000_001, "1", null]) {
    deepStrictEqual(parseFindings([{ ...PLAIN, line }]), null);
  }
  for (const value of [null, {}, [null], ["text"], [{ line: 1, column: 1 }]]) {
    deepStrictEqual(parseFindings(value), null);
  }
  const found = parseFindings([{ ...PLAIN, message: "a\u001b[31mb\u202ec" }]);
  deepStrictEqual(found?.[0]?.message, "a [31mb c");
});
