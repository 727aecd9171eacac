import assert from "node:assert/strict";
import {
  type ProgramEnd,
  readFailure,
  readResult,
  readSyntax,
} from "../../../src/sandbox/run/program_end.ts";
import { LIMITS } from "../open_pool.ts";

const CLEAN = '{"timers":0,"calls":0}';
const LEFT = '{"timers":1,"calls":0}';
const LIMITED = { ...LIMITS, resultBytesMax: 10, toolResultBytesMax: 20 };

const resultOf = (json: string, leftovers = CLEAN) => readResult(json, leftovers, LIMITED);

/** Status, code and whether the host may be used again. */
function brief(end: ProgramEnd | null): unknown {
  return end === null ? null : [end.status, end.error?.code ?? null, end.clean];
}

Deno.test("readResult() takes JSON, or nothing, and says whether something is left over", () => {
  assert.deepEqual(resultOf("[1]"), { status: "ok", resultJson: "[1]", clean: true });
  assert.deepEqual(resultOf(""), { status: "ok", clean: true });
  assert.deepEqual(brief(resultOf("[1]", LEFT)), ["ok", null, false]);
});

Deno.test("readResult() keeps a result over its limit up to what a tool may return", () => {
  const over = resultOf(`"${"x".repeat(18)}"`);
  assert.deepEqual(brief(over), ["error", "ERR_SANDBOX_RESULT_SIZE", false]);
  assert.equal(over?.oversize?.bytes, 20);
  assert.match(over!.error!.message, /has 20 bytes, the limit is 10/);
  assert.equal(resultOf(`"${"x".repeat(19)}"`)?.oversize, null);
  assert.equal(resultOf(`"${"x".repeat(8)}"`)?.status, "ok");
});

Deno.test("readResult() refuses depth and numbers that nobody can read, and keeps the host", () => {
  const deep = "[".repeat(201) + "]".repeat(201);
  assert.deepEqual(brief(readResult(deep, CLEAN, LIMITS)), ["error", "ERR_SANDBOX_NESTING", true]);
  assert.deepEqual(brief(resultOf("[1e999]")), ["error", "ERR_PROGRAM", true]);
  const inexact = readResult('{"id":9007199254740993}', CLEAN, LIMITS);
  assert.match(inexact!.error!.message, /result\.id is 9007199254740993/);
});

Deno.test("readResult() takes nothing that no honest host says", () => {
  assert.equal(resultOf("[1"), null);
  assert.equal(resultOf("[1]", "{}"), null);
  assert.equal(resultOf("[1]", '{"timers":-1,"calls":0}'), null);
});

const FAILURE = {
  name: "TypeError",
  message: "x is not a function",
  stack: "at 1",
  line: 1,
  column: 2,
  call: null as number | null,
  code: null as string | null,
  hint: "",
};

function failureOf(failure: Partial<typeof FAILURE>, leftovers = CLEAN): ProgramEnd | null {
  const text = JSON.stringify({ ...FAILURE, ...failure });
  const program = { code: "x()", servers: ["math"] };
  const denied = { code: "ERR_POLICY_DENIED", hint: "Ask for it" } as const;
  return readFailure(text, leftovers, program, (call) => call === 4 ? denied : undefined);
}

Deno.test("readFailure() keeps the code of a call that failed, not one that the program claims", () => {
  const known = failureOf({ call: 4, code: "ERR_SANDBOX_CALLS" });
  assert.deepEqual(brief(known), ["error", "ERR_POLICY_DENIED", true]);
  assert.equal(known?.error?.hint, "Ask for it");
  assert.deepEqual(brief(failureOf({ call: 5 })), ["error", "ERR_PROGRAM", true]);
  assert.equal(failureOf({ code: "ERR_POLICY_DENIED" }), null);
});

Deno.test("readFailure() ends the host after a limit of the realm or with something left over", () => {
  assert.deepEqual(brief(failureOf({ code: "ERR_SANDBOX_TIMERS" })), [
    "error",
    "ERR_SANDBOX_TIMERS",
    false,
  ]);
  assert.deepEqual(brief(failureOf({}, LEFT)), ["error", "ERR_PROGRAM", false]);
  assert.equal(failureOf({}, "[]"), null);
});

Deno.test("readSyntax() keeps the place that the parser names, if it names one", () => {
  const message = { kind: "syntax", message: "Unexpected token '}'", line: 3, column: 4 } as const;
  const end = readSyntax(message, "a\nb\n  }");
  assert.deepEqual(brief(end), ["error", "ERR_SYNTAX", true]);
  assert.equal(end.error?.line, 3);
});
