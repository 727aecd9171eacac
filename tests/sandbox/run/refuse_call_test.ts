import assert from "node:assert/strict";
import { internalFailure, refuseCall, refuseResult } from "../../../src/sandbox/run/refuse_call.ts";
import { utf8Bytes } from "../../../src/rpc/json_depth.ts";
import { LIMITS } from "../open_pool.ts";

const TOOL = { server: "math", tool: "add" };

function codeOf(json: string, call: { server: string; tool: string } = TOOL): string | undefined {
  const limits = { ...LIMITS, toolArgumentBytesMax: 1_000 };
  return refuseCall({ ...call, json, argsBytes: utf8Bytes(json) }, limits)?.error.code;
}

Deno.test("refuseCall() lets a call through at each limit and refuses it above", () => {
  const text = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const named = (chars: number) => ({ server: "math", tool: "t".repeat(chars) });
  assert.equal(codeOf(text(1_000)), undefined);
  assert.equal(codeOf(text(1_001)), "ERR_SANDBOX_MESSAGE_SIZE");
  assert.equal(codeOf(nested(200)), undefined);
  assert.equal(codeOf(nested(201)), "ERR_SANDBOX_NESTING");
  assert.equal(codeOf("{}", named(300)), undefined);
  assert.equal(codeOf("{}", named(301)), "ERR_TOOL_NOT_FOUND");
});

Deno.test("refuseCall() refuses numbers that no number can hold, and names their place", () => {
  assert.equal(codeOf('{"id":9007199254740991}'), undefined);
  assert.equal(codeOf('{"id":9007199254740993}'), "ERR_INVALID_ARGUMENTS");
  const json = '{"id":9007199254740993}';
  const refusal = refuseCall({ ...TOOL, json, argsBytes: json.length }, LIMITS);
  assert.match(refusal!.error.message, /^Cannot call math\.add: args\.id is 9007199254740993/);
});

Deno.test("refuseCall() refuses more values than anybody reads", () => {
  const json = `[${"1,".repeat(2_000_000)}1]`;
  const refusal = refuseCall({ ...TOOL, json, argsBytes: json.length }, LIMITS);
  assert.match(refusal!.error.message, /more than \d+ values/);
});

Deno.test("refuseResult() counts bytes, not characters", () => {
  const limits = { ...LIMITS, toolResultBytesMax: 12 };
  assert.equal(refuseResult(TOOL, '"éééé"', limits), null);
  assert.equal(refuseResult(TOOL, `"${"é".repeat(5)}"`, limits), null);
  assert.equal(refuseResult(TOOL, `"${"é".repeat(6)}"`, limits)?.error.code, "ERR_UPSTREAM_RESULT");
});

Deno.test("a refusal names a discovery call without a server", () => {
  const { error } = internalFailure({ server: "", tool: "$search" });
  assert.equal(error.tool, "$search");
  assert.equal(error.message, "Cannot call $search: internal error");
});
