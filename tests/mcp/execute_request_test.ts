import assert from "node:assert/strict";
import { executeRequest } from "../../src/mcp/execute_request.ts";
import { makePrincipal } from "../policy/sample_tools.ts";

const { signal } = new AbortController();
const CALLER = { principal: makePrincipal(), space: "default" };
const EXCHANGE = { task: "t", traceparent: null, signal };

Deno.test("executeRequest() takes over what was asked, and leaves out what was not", () => {
  const plain = executeRequest(CALLER, { code: "return 1" }, EXCHANGE);
  assert.deepEqual(plain, { ...CALLER, ...EXCHANGE, code: "return 1" });
  const onCall = () => {};
  const input = { code: "return 1", timeoutMs: 50, dryRun: true };
  assert.deepEqual(executeRequest(CALLER, input, { ...EXCHANGE, onCall }), {
    ...CALLER,
    ...EXCHANGE,
    ...input,
    onCall,
  });
});

Deno.test("executeRequest() refuses what has no code, or asks to go on with what does not wait", () => {
  assert.throws(() => executeRequest(CALLER, {}, EXCHANGE), { code: "ERR_BAD_REQUEST" });
  const resumed = { code: "return 1", resume: "e1" };
  assert.throws(() => executeRequest(CALLER, resumed, EXCHANGE), { code: "ERR_NOT_FOUND" });
});
