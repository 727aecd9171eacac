/** One hostile program and how it must end. A program that succeeds does no harm. */
export interface AttackProgram {
  readonly name: string;
  readonly code: string;
  /** The expected end, for people. */
  readonly expected: string;
  /** Accepted error codes; `refused` accepts any end but success, or the text `held`. */
  readonly codes: readonly string[] | "refused";
}

const CLOCKS = ["ERR_SANDBOX_CPU_TIME", "ERR_SANDBOX_WALL_TIME"];

/** Nine attempts to take a service down. */
export const HOSTILE_NINE: readonly AttackProgram[] = [
  {
    name: "loop",
    code: "while (true) {}",
    expected: "stopped by a clock",
    codes: CLOCKS,
  },
  {
    name: "loop after await",
    code: "await tools.attack.ping({}); for (;;) {}",
    expected: "stopped by a clock",
    codes: CLOCKS,
  },
  {
    name: "microtask loop",
    code: "const again = () => Promise.resolve().then(again); await again();",
    expected: "stopped by a clock",
    codes: CLOCKS,
  },
  {
    name: "heap bomb",
    code: "const all = []; for (;;) all.push(new Array(1e5).fill(1.5));",
    expected: "stopped by the memory limit",
    codes: ["ERR_SANDBOX_MEMORY", "ERR_SANDBOX_CPU_TIME"],
  },
  {
    name: "ArrayBuffer bomb",
    code: "const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));",
    expected: "stopped by the memory limit",
    codes: ["ERR_SANDBOX_MEMORY", "ERR_SANDBOX_CPU_TIME"],
  },
  {
    name: "never-settling promise",
    code: "await new Promise(() => {});",
    expected: "said to wait for nothing",
    codes: ["ERR_SANDBOX_STALLED", "ERR_SANDBOX_WALL_TIME"],
  },
  {
    name: "50 MB result",
    code: "return 'x'.repeat(5e7);",
    expected: "refused as too large",
    codes: ["ERR_SANDBOX_RESULT_SIZE"],
  },
  {
    name: "log flood",
    code: "for (;;) console.log('x'.repeat(1000));",
    expected: "stopped by the log limit",
    codes: ["ERR_SANDBOX_LOG_SIZE"],
  },
  {
    name: "timer flood",
    code: "for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6);",
    expected: "stopped by the timer limit",
    codes: ["ERR_SANDBOX_TIMERS"],
  },
];

const escape = (name: string, code: string): AttackProgram => ({
  name,
  code,
  expected: "gets nothing",
  codes: "refused",
});

/** A sample of escape attempts, one per kind. */
export const ESCAPE_SAMPLE: readonly AttackProgram[] = [
  escape("runtime API", 'return Deno.readTextFileSync("/etc/hostname");'),
  escape("environment", "return JSON.stringify(process.env);"),
  escape("self-kill", 'Deno.kill(Deno.pid, "SIGKILL"); return 1;'),
  escape("built-in module", 'return Object.keys(await import("node:fs"));'),
  escape("remote module", 'return Object.keys(await import("http://127.0.0.1:9/x.js"));'),
  escape("eval", 'return (0, eval)("1 + 1");'),
  escape("Function constructor", 'return [].constructor.constructor("return 1")();'),
  escape("async Function constructor", 'return await (async () => {}).constructor("return 1")();'),
  escape("WebAssembly", "return new WebAssembly.Memory({ initial: 1 }).buffer.byteLength;"),
  escape("network", 'return await fetch("http://127.0.0.1:9/");'),
  escape("Worker", 'return new Worker("data:text/javascript,1");'),
  escape("shared memory", "return new SharedArrayBuffer(8).byteLength;"),
  escape("message forgery", 'postMessage("d 0 1 23\\n1"); return 1;'),
  escape(
    "stack overflow at the bridge",
    `let out = "held"; const dive = () => { try { dive(); } catch {} try { console.log(""); } catch (error) {
       if (!(error instanceof Error)) out = "an error of another realm"; } };
     try { dive(); } catch {} return out;`,
  ),
  escape(
    "call sites of the host",
    `let sites; try { Error.prepareStackTrace = (_, list) => (sites = list); } catch {}
     void new Error("x").stack; return sites ? sites.map(String) : "held";`,
  ),
  escape(
    "prototype pollution",
    `Object.prototype.get = () => "polluted"; Object.prototype.then = undefined;
     const value = await tools.attack.ping({}); return value === "pong" ? "held" : value;`,
  ),
  escape("parser bomb", "return " + "(".repeat(20_000) + "1" + ")".repeat(20_000)),
];
