import assert from "node:assert/strict";
import { encodeFrame } from "../../../src/rpc/frames.ts";
import { encodeMessage, FRAME, type HostMessage } from "../../../src/rpc/protocol.ts";
import {
  type HostListener,
  type HostProcess,
  startHostProcess,
} from "../../../src/sandbox/host/host_process.ts";
import type { CallReply, SandboxCall } from "../../../src/sandbox/run/sandbox_call.ts";
import { runProgram } from "../../../src/sandbox/run/run_program.ts";
import { LIMITS } from "../open_pool.ts";

const CLEAN = '{"timers":0,"calls":0}';
const FAILURE = {
  name: "Error",
  message: "x",
  stack: "",
  line: null,
  column: null,
  call: null,
  code: null,
  hint: "",
};

/** A host that says what the test wants as soon as the program arrives. */
function scriptedHost(speak: (listener: HostListener) => void) {
  let listener: HostListener | null = null;
  const sent: string[] = [];
  let killed = 0;
  const host: HostProcess = {
    pid: 0,
    ready: Promise.resolve({
      workers: 1,
      kernel: { seccomp: true, landlock: 7, rlimits: true, missing: [] },
    }),
    death: new Promise(() => {}),
    listen: (next) => (listener = next),
    send(type, text) {
      sent.push(text);
      if (type === FRAME.program) queueMicrotask(() => speak(listener!));
      return Promise.resolve();
    },
    kill: () => killed++,
  };
  return { host, sent, killed: () => killed };
}

async function outcomeOf(
  speak: (listener: HostListener) => void,
  onCall: (call: SandboxCall) => Promise<CallReply> = () =>
    Promise.resolve({ ok: true, json: "1" }),
) {
  const peer = scriptedHost(speak);
  const finished = await runProgram(peer.host, {
    code: "",
    limits: { ...LIMITS, wallTimeMs: 1_000 },
    names: "",
    servers: [],
    seed: null,
    onCall,
    signal: new AbortController().signal,
  });
  return { ...finished, killed: peer.killed(), sent: peer.sent };
}

const say = (...messages: string[]) => (listener: HostListener) =>
  listener.onWorkerText(messages.join(""), 1);
const call = (id: number, json = "{}") => encodeMessage("c", id, ["math", "add", json]);
const done = (json: string, leftovers = CLEAN) => encodeMessage("d", 0, [json, leftovers]);
const failed = (failure: unknown, leftovers = CLEAN) =>
  encodeMessage("f", 0, [JSON.stringify(failure), leftovers]);

Deno.test("runProgram() takes a well-formed conversation", async () => {
  const { outcome, clean, killed } = await outcomeOf(
    say(call(0), encodeMessage("l", 0, ["log", "a"]), encodeMessage("n", 0, ["b"]), done("[1]")),
  );
  assert.deepEqual([outcome.status, outcome.resultJson, outcome.callCount], ["ok", "[1]", 1]);
  assert.deepEqual(outcome.logs, [{ level: "log", text: "a" }, { level: "warn", text: "b" }]);
  assert.deepEqual([clean, killed], [true, 0]);
});

Deno.test("runProgram() kills a host that breaks the protocol", async () => {
  const violations: { readonly [name: string]: string } = {
    "no message at all": "hello",
    "an unknown kind": encodeMessage("z", 0, []),
    "a kind of the other direction": encodeMessage("o", 0, ["1"]),
    "an end nobody asked for": encodeMessage("x", 0, []),
    "a call with too few fields": encodeMessage("c", 0, ["math", "add"]),
    "a call number that is not next": call(1),
    "the same call number twice": call(0) + call(0),
    "arguments that are not JSON": call(0, "{"),
    "arguments that are empty": call(0, ""),
    "a log level of its own": encodeMessage("l", 0, ["fatal", "x"]),
    "a log without a text": encodeMessage("l", 0, ["log"]),
    "too long a note": encodeMessage("n", 0, ["x".repeat(2_001)]),
    "too many notes": encodeMessage("n", 0, ["x"]).repeat(11),
    "a result that is not JSON": done("{"),
    "a result with text after it": done("1 2"),
    "leftovers that are not counts": done("1", '{"timers":-1,"calls":0}'),
    "leftovers that are not an object": done("1", "7"),
    "a failure that is not JSON": encodeMessage("f", 0, ["{", CLEAN]),
    "a failure without its fields": failed({ name: "x" }),
    "a failure that claims a decision": failed({ ...FAILURE, code: "ERR_POLICY_DENIED" }),
    "a failure with a line of its own kind": failed({ ...FAILURE, line: "1" }),
    "a failure with a huge text": failed({ ...FAILURE, message: "x".repeat(140_000) }),
  };
  for (const [name, text] of Object.entries(violations)) {
    const { outcome, clean, killed } = await outcomeOf(say(text));
    assert.equal(outcome.error?.code, "ERR_SANDBOX_PROTOCOL", name);
    assert.equal(outcome.resultJson, null, name);
    assert.ok(!clean && killed > 0, name);
  }
});

Deno.test("runProgram() counts for itself what the realm should have counted", async () => {
  const calls = Array.from({ length: LIMITS.toolCallsMax + 1 }, (_, id) => call(id)).join("");
  assert.equal((await outcomeOf(say(calls))).outcome.error?.code, "ERR_SANDBOX_CALLS");
  const logs = encodeMessage("l", 0, ["log", "x".repeat(40_000)]).repeat(2);
  assert.equal((await outcomeOf(say(logs))).outcome.error?.code, "ERR_SANDBOX_LOG_SIZE");
  const lines = encodeMessage("l", 0, ["log", ""]).repeat(2_100);
  assert.equal((await outcomeOf(say(lines))).outcome.error?.code, "ERR_SANDBOX_LOG_SIZE");
  const deep = done("[".repeat(300) + "]".repeat(300));
  assert.equal((await outcomeOf(say(deep))).outcome.error?.code, "ERR_SANDBOX_NESTING");
  const window = Array.from(
    { length: 5 },
    (_, id) => call(id, JSON.stringify("x".repeat(4_000_000))),
  ).join("");
  const flood = await outcomeOf(say(window), () => new Promise(() => {}));
  assert.equal(flood.outcome.error?.code, "ERR_SANDBOX_PROTOCOL");
});

Deno.test("runProgram() takes one outcome and nothing after it", async () => {
  let calls = 0;
  const { outcome } = await outcomeOf(
    say(done("1"), done("2"), call(0), failed(FAILURE)),
    () => {
      calls++;
      return Promise.resolve({ ok: true, json: "1" });
    },
  );
  assert.deepEqual([outcome.resultJson, outcome.callCount, calls], ["1", 0, 0]);
});

Deno.test("runProgram() keeps only error codes of calls that failed so", async () => {
  const denied = await outcomeOf((listener) => {
    listener.onWorkerText(call(0), 1);
    setTimeout(() => listener.onWorkerText(failed({ ...FAILURE, call: 0 }), 1), 20);
  }, () =>
    Promise.resolve({
      ok: false,
      error: { code: "ERR_POLICY_DENIED", message: "no", hint: "ask", tool: "math.add" },
    }));
  assert.deepEqual([denied.outcome.error?.code, denied.outcome.error?.hint], [
    "ERR_POLICY_DENIED",
    "ask",
  ]);
  const claimed = await outcomeOf(say(call(0), failed({ ...FAILURE, call: 0 })));
  assert.equal(claimed.outcome.error?.code, "ERR_PROGRAM");
  const other = await outcomeOf(say(failed({ ...FAILURE, call: 7 })));
  assert.equal(other.outcome.error?.code, "ERR_PROGRAM");
});

Deno.test("runProgram() turns an exception of onCall into an error of that call without its text", async () => {
  const peer = await outcomeOf((listener) => {
    listener.onWorkerText(call(0), 1);
    setTimeout(() => listener.onWorkerText(done("1"), 1), 20);
  }, () => Promise.reject(new Error("secret of the service")));
  assert.equal(peer.outcome.status, "ok");
  assert.ok(peer.sent.some((text) => text.includes("ERR_INTERNAL")));
  assert.ok(!peer.sent.some((text) => text.includes("secret")));
});

Deno.test("runProgram() does not believe the host's own kinds either", async () => {
  for (
    const message of [{ kind: "ready" }, { kind: "idle", workers: 1 }, {
      kind: "violation",
      what: "x",
    }]
  ) {
    const { outcome } = await outcomeOf((listener) =>
      listener.onHostMessage(message as HostMessage, 1)
    );
    assert.equal(outcome.error?.code, "ERR_SANDBOX_PROTOCOL");
  }
});

/** A process that prints bytes and waits. */
async function printingProcess(
  bytes: Uint8Array,
): Promise<{ ready: boolean; signal: string | null }> {
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, bytes);
  const host = startHostProcess(
    { command: "/bin/sh", args: ["-c", `cat ${file}; exec sleep 5`], env: {} },
    1_000,
  );
  const start = performance.now();
  const ready = await host.ready.then(() => true, () => false);
  if (ready) host.kill();
  const death = await host.death;
  await Deno.remove(file);
  assert.ok(performance.now() - start < 40_000);
  return { ready, signal: death.signal };
}

Deno.test("startHostProcess() kills a process that does not speak as a host", async () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const streams = [
    text("GET / HTTP/1.1\r\n\r\n".repeat(3)),
    encodeFrame(FRAME.host, 0, text("not JSON")),
    encodeFrame(FRAME.host, 0, text("null")),
    encodeFrame(FRAME.host, 0, text('{"kind":"__proto__"}')),
    encodeFrame(FRAME.host, 0, text('{"kind":"idle"}')),
    encodeFrame(FRAME.worker, 0, text("d 0 1 2\n1{}")),
    encodeFrame(FRAME.program, 0, text("{}")),
    new Uint8Array([0xff, 0xff, 0xff, 0xff, FRAME.host, 0, 0, 0, 0]),
  ];
  for (const stream of streams) {
    assert.deepEqual(await printingProcess(stream), { ready: false, signal: "SIGKILL" });
  }
});

Deno.test("startHostProcess() keeps only the end of what a host writes to stderr", async () => {
  const host = startHostProcess(
    { command: "/bin/sh", args: ["-c", "yes error | head -c 1000000 >&2; exit 3"], env: {} },
    1_000,
  );
  await assert.rejects(host.ready, /ended with 3/);
  const death = await host.death;
  assert.deepEqual([death.code, death.stderr.length], [3, 8_192]);
});
