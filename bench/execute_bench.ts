/**
 * Cost of one execution: `deno task bench execute`, or `deno run -A bench/execute_bench.ts [level
 * …]`.
 *
 * One run measures all columns one after the other on the same machine: compare them with each
 * other, not with another day. `measureTarget` also measures other ways to reach a sandbox (over
 * HTTP).
 */
import { createHostCommand, denoCacheDir } from "../src/sandbox/host/host_command.ts";
import { type Isolation, ISOLATIONS } from "../src/sandbox/host/host_settings.ts";
import { openSandboxPool } from "../src/sandbox/pool/sandbox_pool.ts";
import { openHttpTarget } from "./http_target.ts";
import { runInNaiveWorker } from "./naive_worker.ts";

/** A way to run programs. `tools.math.add({a, b})` and `tools.slow.wait({ms})` must exist. */
export interface BenchTarget {
  readonly name: string;
  /** Runs one program; rejects unless it succeeded. */
  run(code: string, principal: string): Promise<unknown>;
  /** Private megabytes of the processes that run programs; null if unknown. */
  memoryMb(): number | null;
  close(): Promise<void>;
}

export interface BenchRow {
  readonly name: string;
  /** Milliseconds `[p50, p95]` by program. */
  readonly latency: { readonly [program: string]: readonly [number, number] };
  /** Executions per second with 50 in progress, after the warm hosts are used up. */
  readonly perSecond: number;
  readonly memoryMb: number | null;
}

export interface BenchOptions {
  readonly repeats: number;
  readonly warmUpMs: number;
  readonly sustainedMs: number;
}

export const PROGRAMS: { readonly [name: string]: string } = {
  "return 1": "return 1",
  "one call": "return await tools.math.add({ a: 1, b: 2 })",
  "100 in turn":
    "let sum = 0; for (let i = 0; i < 100; i++) sum += await tools.math.add({ a: i, b: 1 }); return sum",
  "100 at once":
    "return (await Promise.all(Array.from({ length: 100 }, (_, i) => tools.math.add({ a: i, b: 1 })))).length",
  "20 x 50 ms":
    "return (await Promise.all(Array.from({ length: 20 }, () => tools.slow.wait({ ms: 50 })))).length",
};
const CONCURRENT = 50;
const WARM_UPS = 15;
const MEMORY_RUNS = 8;

/** Measures one target; takes about `repeats` executions of each program and the sustained time. */
export async function measureTarget(target: BenchTarget, options: BenchOptions): Promise<BenchRow> {
  const latency: { [program: string]: [number, number] } = {};
  for (const [name, code] of Object.entries(PROGRAMS)) {
    const times: number[] = [];
    // Warm up: the code of a service that has run for a while is compiled.
    for (let turn = 0; turn < WARM_UPS; turn++) await target.run(code, "bench");
    for (let turn = 0; turn < options.repeats; turn++) {
      const start = performance.now();
      await target.run(code, "bench");
      times.push(performance.now() - start);
      // Clients pause between executions, and a pool may use that time.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    times.sort((a, b) => a - b);
    latency[name] = [times[times.length >> 1]!, times[Math.floor(times.length * 0.95)]!];
  }
  const memoryMb = await measureMemory(target);
  const perSecond = await measureThroughput(target, options);
  return { name: target.name, latency, perSecond, memoryMb };
}

async function measureThroughput(target: BenchTarget, options: BenchOptions): Promise<number> {
  const start = performance.now();
  const countFrom = start + options.warmUpMs;
  const end = countFrom + options.sustainedMs;
  let done = 0;
  await Promise.all(Array.from({ length: CONCURRENT }, async () => {
    while (performance.now() < end) {
      await target.run(PROGRAMS["one call"]!, "bench");
      const now = performance.now();
      if (now >= countFrom && now < end) done++;
    }
  }));
  return done / (options.sustainedMs / 1_000);
}

async function measureMemory(target: BenchTarget): Promise<number | null> {
  const before = target.memoryMb();
  if (before === null) return null;
  const runs = Array.from(
    { length: MEMORY_RUNS },
    () => target.run("return await tools.slow.wait({ ms: 3000 })", "memory"),
  );
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const during = target.memoryMb();
  await Promise.all(runs);
  return during === null ? null : (during - before) / MEMORY_RUNS;
}

/** One line per row. */
export function renderRows(rows: readonly BenchRow[]): string {
  const programs = Object.keys(PROGRAMS);
  const head = ["p50 / p95 ms", ...programs, "executions/s", "MB each"];
  const body = rows.map((row) => [
    row.name,
    ...programs.map((name) => row.latency[name]!.map((ms) => ms.toFixed(1)).join(" / ")),
    row.perSecond.toFixed(0),
    row.memoryMb === null ? "-" : row.memoryMb.toFixed(0),
  ]);
  const table = [head, ...body];
  const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  return table.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join("  "))
    .join("\n");
}

/** A pool of this process at one level. */
export async function openPoolTarget(isolation: Isolation): Promise<BenchTarget> {
  const limits = {
    wallTimeMs: 30_000,
    cpuTimeMs: 10_000,
    memoryMb: 128,
    toolCallsMax: 200,
    concurrentCallsMax: 64,
    toolArgumentBytesMax: 4_194_304,
    toolResultBytesMax: 33_554_432,
    resultBytesMax: 1_048_576,
    codeBytesMax: 262_144,
    logBytesMax: 65_536,
    concurrentExecutionsMax: 16,
  };
  const pool = await openSandboxPool({
    isolation,
    warm: 2,
    hostsMax: 16,
    queueMax: 64,
    require: [],
    limits,
    log: (level, message) => console.error(level, message),
    hostCommand: createHostCommand({
      executable: Deno.execPath(),
      standalone: false,
      program: new URL("../src/sandbox/host/host_main.ts", import.meta.url).pathname,
      cacheDir: denoCacheDir((name) => Deno.env.get(name)),
    }),
  });
  const signal = new AbortController().signal;
  return {
    name: isolation,
    async run(code, principalKey) {
      const outcome = await pool.run(
        { principalKey, session: null, code, limits, names: null, seed: null },
        async (call) => ({
          ok: true,
          json: JSON.stringify(await benchTool(`${call.server}.${call.tool}`, call.args)),
        }),
        signal,
      );
      if (outcome.status !== "ok") throw new Error(outcome.error?.message);
      return outcome.resultJson;
    },
    memoryMb: () => childrenMemoryMb(),
    close: () => pool.close(),
  };
}

function openNaiveTarget(): BenchTarget {
  return {
    name: "naive Worker",
    run: (code) => runInNaiveWorker(code, benchTool),
    memoryMb: () => Deno.memoryUsage().rss / 1_048_576,
    close: () => Promise.resolve(),
  };
}

async function benchTool(tool: string, args: unknown): Promise<unknown> {
  const { a = 0, b = 0, ms = 0 } = args as { a?: number; b?: number; ms?: number };
  if (tool !== "slow.wait") return a + b;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return 1;
}

/** Private memory of this process's children, in megabytes. */
function childrenMemoryMb(): number | null {
  try {
    const { stdout } = new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(Deno.pid)] })
      .outputSync();
    let kilobytes = 0;
    for (const pid of new TextDecoder().decode(stdout).trim().split(/\s+/)) {
      let text: string;
      try {
        text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
      } catch {
        continue;
      }
      for (const [, size] of text.matchAll(/^Private_\w+: +(\d+) kB/gm)) kilobytes += Number(size);
    }
    return kilobytes / 1_024;
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const wanted = Deno.args.filter((argument) => !argument.startsWith("-"));
  const options = { repeats: 25, warmUpMs: 4_000, sustainedMs: 8_000 };
  const rows: BenchRow[] = [];
  const targets: { readonly [name: string]: () => BenchTarget | Promise<BenchTarget> } = {
    ...Object.fromEntries(ISOLATIONS.map((level) => [level, () => openPoolTarget(level)])),
    naive: openNaiveTarget,
    ...Object.fromEntries(
      ISOLATIONS.map((level) => [`${level}-http`, () => openHttpTarget(level)]),
    ),
  };
  for (const [name, open] of Object.entries(targets)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const target = await open();
    rows.push(await measureTarget(target, options));
    await target.close();
    console.error(renderRows(rows.slice(-1)));
  }
  console.log(renderRows(rows));
  Deno.exit(0);
}
