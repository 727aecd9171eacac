import assert from "node:assert/strict";
import { LimitsSchema } from "../../../src/config/schema.ts";
import { GateError } from "../../../src/model/errors.ts";
import type { PreflightFinding } from "../../../src/model/execution.ts";
import type { CallReply } from "../../../src/sandbox/run/sandbox_call.ts";
import type { SandboxOutcome } from "../../../src/sandbox/run/outcome.ts";
import { execute, type ExecuteDeps } from "../../../src/supervisor/program/execute.ts";
import type { ExecuteRequest } from "../../../src/supervisor/program/execution_request.ts";
import { NOTHING_FOUND, type PreflightReport } from "../../../src/supervisor/program/preflight.ts";
import { makePrincipal, makeTool } from "../../policy/sample_tools.ts";
import { setUpGate } from "../gate_fixture.ts";

const POLICY = `
version: 1
name: test
tools: { pay: { read: [get], write: [refund] } }
rules:
  - { id: reads, allow: read }
  - { id: not-all, deny: read, when: "has(args.all)" }
`;
const TOOLS = [
  makeTool("pay", "refund", { inputSchema: { type: "object" } }),
  makeTool("pay", "get", { inputSchema: { type: "object" } }),
];
const DONE: SandboxOutcome = {
  status: "ok",
  resultJson: '"result"',
  oversize: null,
  logs: [],
  error: null,
  callCount: 0,
  wallMs: 1,
  cpuMs: 1,
};
const FOUND: PreflightFinding = { line: 2, column: 3, message: "no parameter" };
const ADVICE: PreflightFinding = { line: 1, column: 1, message: "not awaited" };
const REPORT: PreflightReport = { findings: [FOUND], advice: [ADVICE], unchecked: null };

interface Program {
  (call: (tool: string, args?: object) => Promise<CallReply>): Promise<SandboxOutcome>;
}

/** A supervisor whose program is a function. */
function setUp(
  run: Program,
  overrides: Partial<ExecuteDeps> = {},
  asked: Partial<ExecuteRequest> = {},
) {
  const { deps, events, order } = setUpGate(POLICY, TOOLS);
  const programs: Parameters<ExecuteDeps["sandbox"]["run"]>[0][] = [];
  const executeDeps: ExecuteDeps = {
    ...deps,
    sandbox: {
      run(program, onCall, signal) {
        programs.push(program);
        let index = 0;
        return run((tool, args = {}) =>
          onCall({ index: index++, server: "pay", tool, args, argsBytes: 2, signal })
        );
      },
    },
    preflight: { mode: "off", check: () => Promise.resolve(NOTHING_FOUND) },
    discovery: {
      names: () => [],
      meant: () => [],
      answer: () => Promise.reject(new Error("not used")),
    },
    limits: LimitsSchema.parse({}),
    recordPatienceMs: 40,
    newId: () => "e1",
    newSeed: () => ({ epochMs: 0, random: "00" }),
    keepResult: () => Promise.reject(new Error("not used")),
    ...overrides,
  };
  const request: ExecuteRequest = {
    principal: makePrincipal({}),
    space: "default",
    code: "return 1;",
    task: null,
    traceparent: null,
    signal: new AbortController().signal,
    ...asked,
  };
  return { execute: () => execute(executeDeps, request), events, order, programs };
}

const done = () => Promise.resolve(DONE);

Deno.test("execute() brings the warnings of a program that has ended long before its check", async () => {
  const checked = Promise.withResolvers<PreflightReport>();
  const preflight = { mode: "warn" as const, check: () => checked.promise };
  const run = () => {
    setTimeout(() => checked.resolve(REPORT), 5);
    return done();
  };
  const { warnings, status } = await setUp(run, { preflight }).execute();
  assert.equal(status, "ok");
  assert.deepEqual(warnings, [ADVICE, FOUND]);
});

Deno.test("execute() does not wait for a check that hangs, and says that nothing was checked", async () => {
  const never = new Promise<never>(() => {});
  const preflight = { mode: "warn" as const, check: () => never };
  const { execute } = setUp(done, { preflight, checkPatienceMs: 20 });
  const { warnings, status, result } = await execute();
  assert.deepEqual([status, result], ["ok", "result"]);
  assert.deepEqual(warnings, [{
    line: 1,
    column: 1,
    message: "The program ran unchecked: the check was not finished 0.02 s after the program",
  }]);
});

Deno.test("execute() runs nothing of a program that the check stops", async () => {
  const preflight = { mode: "block" as const, check: () => Promise.resolve(REPORT) };
  const { execute, programs, order } = setUp(done, { preflight });
  const { error, calls, warnings } = await execute();
  assert.deepEqual([error?.code, error?.line, error?.column], ["ERR_PREFLIGHT", 2, 3]);
  assert.equal(error?.message, "2:3 no parameter");
  assert.deepEqual([programs, calls], [[], []]);
  assert.deepEqual(warnings, [ADVICE]);
  assert.deepEqual(order, ["execution.start", "execution.end"]);
});

Deno.test("execute() places an error that the engine gave without a line", async () => {
  const preflight = { mode: "warn" as const, check: () => Promise.resolve(REPORT) };
  const outcome = (code: "ERR_SYNTAX" | "ERR_PROGRAM"): SandboxOutcome => ({
    ...DONE,
    status: "error",
    resultJson: null,
    error: { code, name: "E", message: "m", hint: "" },
  });
  for (const code of ["ERR_SYNTAX", "ERR_PROGRAM"] as const) {
    const { error } = await setUp(() => Promise.resolve(outcome(code)), { preflight }).execute();
    assert.equal(error?.line, code === "ERR_SYNTAX" ? 2 : undefined);
  }
});

Deno.test("execute() lowers the wall time on request, and never raises it", async () => {
  const { wallTimeMs } = LimitsSchema.parse({});
  const cases = [[100, 100], [1, 50], [wallTimeMs + 1, wallTimeMs]] as const;
  for (const [timeoutMs, expected] of cases) {
    const { execute, programs } = setUp(done, {}, { timeoutMs });
    await execute();
    assert.equal(programs[0]?.limits.wallTimeMs, expected);
  }
});

Deno.test("execute() calls a run denied only for a refusal that the gate has given", async () => {
  const failed: SandboxOutcome = {
    ...DONE,
    status: "error",
    resultJson: null,
    error: { code: "ERR_POLICY_DENIED", name: "E", message: "m", hint: "" },
  };
  const refused = await setUp(async (call) => {
    await call("get", { all: true });
    return failed;
  }).execute();
  const claimed = await setUp(() => Promise.resolve(failed)).execute();
  assert.deepEqual([refused.status, claimed.status], ["denied", "error"]);
  assert.equal(refused.calls[0]?.status, "ERR_POLICY_DENIED");
});

Deno.test("execute() fails with a sandbox that fails before any call, and tells what calls did after one", async () => {
  const gone = new GateError("ERR_SANDBOX_UNAVAILABLE", "No sandbox", { hint: "" });
  const before = setUp(() => Promise.reject(gone));
  await assert.rejects(before.execute(), gone);
  assert.deepEqual(before.order, ["execution.start", "execution.end"]);
  const after = await setUp(async (call) => {
    await call("get");
    throw gone;
  }).execute();
  assert.equal(after.error?.code, "ERR_SANDBOX_UNAVAILABLE");
  assert.match(after.error?.hint ?? "", /1 call was made/);
  assert.deepEqual(after.calls.map(({ tool, status }) => [tool, status]), [["pay.get", "ok"]]);
});

Deno.test("execute() counts what the program kept from the caller", async () => {
  const { execute, events } = setUp(async (call) => {
    await call("get");
    return DONE;
  });
  const { usage } = await execute();
  assert.deepEqual(
    [usage.toolCalls, usage.bytesKeptOut, usage.tokensReturned, usage.tokensKeptOut],
    [1, 3, 2, 0.75],
  );
  assert.equal(events.at(-1)?.kind, "execution.end");
  assert.equal(events.at(-1)?.detail?.calls, 1);
});

Deno.test("execute() keeps a result that is too large, and says where", async () => {
  const handle = { uri: "toolgate://results/1", bytes: 99 };
  const kept: string[] = [];
  const keepResult: ExecuteDeps["keepResult"] = (_principal, id, json) => {
    kept.push(`${id} ${json}`);
    return Promise.resolve(handle);
  };
  const large: SandboxOutcome = {
    ...DONE,
    status: "error",
    resultJson: null,
    oversize: { bytes: 99, json: '"large"' },
    error: { code: "ERR_SANDBOX_RESULT_SIZE", name: "E", message: "m", hint: "h" },
  };
  const result = await setUp(() => Promise.resolve(large), { keepResult }).execute();
  assert.deepEqual(result.handle, handle);
  assert.deepEqual(kept, ['e1 "large"']);
});
