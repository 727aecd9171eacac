import assert from "node:assert/strict";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { AuditSchema, LimitsSchema } from "../../src/config/schema.ts";
import { GateError } from "../../src/model/errors.ts";
import type { AuditEvent, AuditKind } from "../../src/model/event.ts";
import type { CallReply, SandboxCall } from "../../src/sandbox/run/sandbox_call.ts";
import type { SandboxOutcome } from "../../src/sandbox/run/outcome.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { callTool } from "../../src/supervisor/call/call_tool.ts";
import { execute, type ExecuteDeps } from "../../src/supervisor/program/execute.ts";
import { NOTHING_FOUND } from "../../src/supervisor/program/preflight.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";
import { callOf, contextOf, setUpGate } from "./gate_fixture.ts";

const POLICY = `
version: 1
name: test
tools: { pay: { write: [refund] } }
rules: [{ id: refunds, allow: write, tools: [pay.refund] }]
`;
const AUDIT = AuditSchema.parse({});
const TOOLS = [makeTool("pay", "refund", { inputSchema: { type: "object" } })];
const DOWN = new GateError("ERR_AUDIT_UNAVAILABLE", "Cannot write the audit log: disk is full", {
  hint: "The operator sees the cause in the health check",
});
const OUTCOME: SandboxOutcome = {
  status: "ok",
  resultJson: '"result"',
  oversize: null,
  logs: [{ level: "log", text: "a line" }],
  error: null,
  callCount: 0,
  wallMs: 1,
  cpuMs: 1,
};

type Run = (call: () => Promise<CallReply>, signal: AbortSignal) => Promise<SandboxOutcome>;

/** A supervisor whose log does what is said for one kind of record; the program is a function. */
function setUp(
  appended: (kind: AuditKind, nth: number) => Promise<unknown> | null,
  run: Run,
  overrides: Partial<ExecuteDeps> = {},
) {
  const { deps, events, calls } = setUpGate(POLICY, TOOLS, overrides);
  const counts = new Map<string, number>();
  const append = deps.audit.append;
  const executeDeps: ExecuteDeps = {
    ...deps,
    audit: {
      append: async (event: AuditEvent) => {
        const nth = (counts.get(event.kind) ?? 0) + 1;
        counts.set(event.kind, nth);
        await appended(event.kind, nth);
        return await append(event);
      },
    },
    sandbox: {
      run: (_program, onCall, signal) => {
        let index = 0;
        const call = (): SandboxCall => ({
          index: index++,
          server: "pay",
          tool: "refund",
          args: {},
          argsBytes: 2,
          signal,
        });
        return run(() => onCall(call()), signal);
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
  const request = {
    principal: makePrincipal({}),
    space: "default",
    code: "",
    task: null,
    traceparent: null,
    signal: new AbortController().signal,
  };
  return { execute: () => execute(executeDeps, request), events, calls };
}

const never = new Promise<never>(() => {});

Deno.test("a start that cannot be recorded lets no call pass, and the error says so", async () => {
  let reply: CallReply | null = null;
  const { execute, calls } = setUp(
    (kind) => kind === "execution.start" ? Promise.reject(DOWN) : null,
    async (call) => {
      await Promise.resolve();
      reply = await call();
      return OUTCOME;
    },
  );
  await assert.rejects(execute(), (error) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_AUDIT_UNAVAILABLE");
    return /^No tool was called/.test(error.hint);
  });
  assert.equal((reply as CallReply | null)?.ok, false);
  assert.equal(calls.length, 0);
});

Deno.test("a start that is never confirmed lets a program without calls fail, in time", async () => {
  const { execute } = setUp(
    (kind) => kind === "execution.start" ? never : null,
    () => Promise.resolve(OUTCOME),
  );
  await assert.rejects(execute(), /the audit log has not answered for 40 ms/);
});

Deno.test("a call whose intent cannot be recorded is not made, and those before it are told", async () => {
  const replies: CallReply[] = [];
  const { execute, calls } = setUp(
    (kind, nth) => kind === "call.intent" && nth === 2 ? Promise.reject(DOWN) : null,
    async (call) => {
      replies.push(await call(), await call());
      const [, second] = replies;
      const error = second?.ok === false ? second.error : null;
      return {
        ...OUTCOME,
        status: "error",
        resultJson: null,
        error: { ...error, name: "Error" } as unknown as SandboxOutcome["error"],
      };
    },
  );
  const { executionId, calls: told, error } = await execute();
  assert.equal(executionId, "e1");
  assert.deepEqual(told.map(({ status }) => status), ["ok", "ERR_AUDIT_UNAVAILABLE"]);
  assert.match(
    error?.hint ?? "",
    /^This call was not made\. .*1 call was made or begun before this/,
  );
  assert.equal(calls.length, 1);
});

for (const kind of ["call.outcome", "execution.end"] as const) {
  for (const [how, failure] of [["fails", Promise.reject(DOWN)], ["hangs", never]] as const) {
    failure.catch(() => {});
    Deno.test(`a ${kind} whose record ${how} keeps the answer, which says what is not confirmed`, async () => {
      const { execute } = setUp((of) => of === kind ? failure : null, async (call) => {
        await call();
        return OUTCOME;
      });
      const { executionId, status, result, calls, logs, recordPending } = await execute();
      assert.deepEqual([executionId, status, result], ["e1", "ok", "result"]);
      assert.deepEqual([calls.map((call) => call.status), logs.length], [["ok"], 1]);
      assert.match(
        recordPending ?? "",
        how === "fails"
          ? /1 of 3 records \(.*disk is full\)/
          : /1 of 3 records \(.*has not answered/,
      );
    });
  }
}

Deno.test("an execution whose chain another process takes over tells what it did until then", async () => {
  const store = createMemoryStore();
  const openChain = () => openAuditLog({ store, chain: "main", config: AUDIT });
  const log = await openChain();
  const { execute, calls } = setUp(() => null, async (call) => {
    await call();
    const other = await openChain();
    await other.append({ kind: "search" });
    const refused = await call();
    await other.close();
    assert.equal(refused.ok, false);
    return OUTCOME;
  }, { audit: log });
  const { executionId, status, result, calls: told, recordPending } = await execute();
  assert.deepEqual([executionId, status, result], ["e1", "ok", "result"]);
  assert.deepEqual(told.map((call) => call.status), ["ok", "ERR_AUDIT_UNAVAILABLE"]);
  assert.match(recordPending ?? "", /another process writes the chain "main"/);
  assert.equal(calls.length, 1);
  await log.close();
});

Deno.test("a call under way when its program is stopped is listed, with an outcome that is unknown", async () => {
  const { execute } = setUp(() => null, async (call) => {
    call().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { ...OUTCOME, status: "timeout", resultJson: null };
  }, { upstreams: { call: () => never } });
  const { status, calls } = await execute();
  assert.equal(status, "timeout");
  assert.deepEqual(calls.map((call) => [call.tool, call.status]), [
    ["pay.refund", "ERR_OUTCOME_UNKNOWN"],
  ]);
});

Deno.test("a call whose intent becomes durable after its program was stopped is not sent", async () => {
  const intent = Promise.withResolvers<void>();
  const stop = new AbortController();
  const { deps, calls, events } = setUpGate(POLICY, TOOLS);
  const append = deps.audit.append;
  const calling = callTool(
    {
      ...deps,
      audit: {
        append: async (event) => {
          if (event.kind === "call.intent") await intent.promise;
          return await append(event);
        },
      },
    },
    contextOf(makePrincipal({}), { signal: stop.signal }),
    callOf("pay.refund"),
  );
  stop.abort();
  intent.resolve();
  const outcome = await calling;
  assert.ok(!outcome.ok && !outcome.sent);
  assert.match(outcome.error.hint, /^This call was not made/);
  assert.equal(calls.length, 0);
  assert.deepEqual(events.map(({ kind, result }) => [kind, result?.status]), [
    ["call.intent", undefined],
    ["call.outcome", "refused"],
  ]);
});

Deno.test("a large result that cannot be kept loses neither the calls nor the id", async () => {
  const { execute } = setUp(() => null, async (call) => {
    await call();
    return {
      ...OUTCOME,
      status: "error",
      resultJson: null,
      oversize: { bytes: 9, json: '"x"' },
      error: {
        code: "ERR_SANDBOX_RESULT_SIZE",
        name: "SandboxError",
        message: "large",
        hint: "Less.",
      },
    };
  }, { keepResult: () => Promise.reject(new GateError("ERR_STORE", "Disk full", { hint: "" })) });
  const { executionId, calls, error, handle } = await execute();
  assert.deepEqual([executionId, calls.length, handle], ["e1", 1, undefined]);
  assert.equal(error?.hint, "Less. The whole result could not be kept: Disk full");
});

Deno.test("a sandbox that fails after calls keeps what they did", async () => {
  const broken = new GateError("ERR_SANDBOX_UNAVAILABLE", "The host is gone", {
    hint: "Try again.",
  });
  const { execute } = setUp(() => null, async (call) => {
    await call();
    throw broken;
  });
  const { status, calls, error } = await execute();
  assert.deepEqual([status, calls.map((call) => call.status)], ["error", ["ok"]]);
  assert.match(
    error?.hint ?? "",
    /^Try again\. 1 call was made or begun before this .* makes them again$/,
  );
});

Deno.test("a counter that cannot be settled loses no outcome", async () => {
  const order: string[] = [];
  const { deps, events } = setUpGate(POLICY, TOOLS, {
    quotas: {
      reserve: () =>
        Promise.resolve({
          ok: true,
          quota: {
            settle: () => {
              order.push("settle");
              return Promise.reject(new Error("disk I/O error"));
            },
            refund: () => Promise.resolve(void order.push("refund")),
          },
        }),
    },
  });
  const outcome = await callTool(deps, contextOf(makePrincipal({})), callOf("pay.refund"));
  assert.ok(outcome.ok);
  assert.deepEqual(order, ["settle"]);
  assert.equal(events.at(-1)?.result?.status, "ok");
  assert.equal(events.at(-1)?.detail?.limitNotSettled, "disk I/O error");
});

Deno.test("an answer that breaks something here is a call that was made", async () => {
  const { deps, events } = setUpGate(POLICY, TOOLS, {
    observeResult: () => {
      throw new TypeError("a defect");
    },
  });
  const outcome = await callTool(deps, contextOf(makePrincipal({})), callOf("pay.refund"));
  assert.ok(!outcome.ok && outcome.sent);
  assert.equal(outcome.effect, "allow");
  assert.match(outcome.error.message, /^"pay.refund" was called, but/);
  assert.equal(events.at(-1)?.kind, "call.outcome");
  assert.match(String(events.at(-1)?.detail?.defectAt), /unrecorded_test/);
});
