/**
 * What a hostile program costs others: while each of nine runs again and again for one principal, another
 * principal's executions must all succeed, with p95 at most three times their quiet p95.
 *
 *     deno run -A bench/hostile_bench.ts [level …]
 */
import { HOSTILE_NINE } from "../src/sandbox/attack_programs.ts";
import { createHostCommand, denoCacheDir } from "../src/sandbox/host_command.ts";
import { type Isolation, ISOLATIONS } from "../src/sandbox/host_settings.ts";
import { openSandboxPool, type SandboxPool } from "../src/sandbox/sandbox_pool.ts";

export interface HostileRow {
  readonly name: string;
  readonly runs: number;
  readonly failed: number;
  readonly p50: number;
  readonly p95: number;
  /** Hostile executions in the same time, and the codes they ended with. */
  readonly attacks: number;
  readonly codes: readonly string[];
}

export const HOSTILE_LIMITS = {
  wallTimeMs: 10_000,
  cpuTimeMs: 1_000,
  memoryMb: 128,
  toolCallsMax: 200,
  concurrentCallsMax: 16,
  toolArgumentBytesMax: 4_194_304,
  toolResultBytesMax: 33_554_432,
  resultBytesMax: 1_048_576,
  codeBytesMax: 262_144,
  logBytesMax: 65_536,
  concurrentExecutionsMax: 16,
};
const BYSTANDER = "return await tools.math.add({ a: 1, b: 2 })";
/** A client that asks every 100 ms. */
const PAUSE_MS = 100;

/** Measures the bystander quietly, then beside each hostile program. */
export async function measureHostile(
  pool: SandboxPool,
  runs: number,
): Promise<{ quiet: HostileRow; rows: HostileRow[] }> {
  const run = (principalKey: string, code: string, signal = new AbortController().signal) =>
    pool.run(
      { principalKey, code, limits: HOSTILE_LIMITS, names: null, seed: null },
      () => Promise.resolve({ ok: true, json: "3" }),
      signal,
    );

  async function bystand(name: string): Promise<HostileRow> {
    const times: number[] = [];
    let failed = 0;
    for (let turn = 0; turn < runs; turn++) {
      const start = performance.now();
      const outcome = await run("bystander", BYSTANDER);
      times.push(performance.now() - start);
      if (outcome.resultJson !== "3") failed++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    times.sort((a, b) => a - b);
    const at = (part: number) =>
      times[Math.min(times.length - 1, Math.floor(times.length * part))]!;
    return { name, runs, failed, p50: at(0.5), p95: at(0.95), attacks: 0, codes: [] };
  }

  await bystand("warm up");
  const quiet = await bystand("(quiet)");
  const rows: HostileRow[] = [];
  for (const attack of HOSTILE_NINE) {
    const stop = new AbortController();
    const codes = new Set<string>();
    let attacks = 0;
    const oneEnded = Promise.withResolvers<void>();
    const attacking = (async () => {
      while (!stop.signal.aborted) {
        const outcome = await run("attacker", attack.code, stop.signal);
        if (outcome.status === "cancelled") break;
        attacks++;
        codes.add(outcome.error?.code ?? outcome.status);
        oneEnded.resolve();
      }
    })();
    const row = await bystand(attack.name);
    await oneEnded.promise;
    stop.abort();
    await attacking;
    rows.push({ ...row, attacks, codes: [...codes] });
  }
  return { quiet, rows };
}

async function openPool(isolation: Isolation): Promise<SandboxPool> {
  return await openSandboxPool({
    isolation,
    warm: 2,
    hostsMax: 16,
    queueMax: 64,
    require: [],
    limits: HOSTILE_LIMITS,
    log: (level, message) => console.error(level, message),
    hostCommand: createHostCommand({
      executable: Deno.execPath(),
      standalone: false,
      program: new URL("../src/sandbox/host_main.ts", import.meta.url).pathname,
      cacheDir: denoCacheDir((name) => Deno.env.get(name)),
    }),
  });
}

if (import.meta.main) {
  let worst = 0;
  for (const isolation of ISOLATIONS) {
    if (Deno.args.length > 0 && !Deno.args.includes(isolation)) continue;
    const pool = await openPool(isolation);
    const { quiet, rows } = await measureHostile(pool, 40);
    await pool.close();
    console.log(
      `${isolation}: quiet p50 ${quiet.p50.toFixed(1)} ms, p95 ${quiet.p95.toFixed(1)} ms`,
    );
    for (const row of rows) {
      const ratio = row.p95 / quiet.p95;
      worst = Math.max(worst, row.failed > 0 ? Infinity : ratio);
      console.log(
        `  ${row.name.padEnd(24)} p50 ${row.p50.toFixed(1).padStart(6)}  p95 ${
          row.p95.toFixed(1).padStart(6)
        }  x${
          ratio.toFixed(1)
        }  failed ${row.failed} of ${row.runs}  attacks ${row.attacks} ${row.codes}`,
      );
    }
  }
  console.log(`worst p95 ratio: ${worst.toFixed(1)}`);
  Deno.exit(0);
}
