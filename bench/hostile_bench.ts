/**
 * What hostile programs cost other principals: while each of nine runs again and again, a
 * bystander's executions must all succeed. With another key the bystander's p95 may be at most
 * twice its quiet p95, with the attacker's own key at most four times.
 *
 *     deno run -A bench/hostile_bench.ts [level …] [situation …] [executions beside each attack]
 */
import { HOSTILE_NINE } from "../src/sandbox/attack/attack_programs.ts";
import { createHostCommand, denoCacheDir } from "../src/sandbox/host/host_command.ts";
import { type Isolation, ISOLATIONS } from "../src/sandbox/host/host_settings.ts";
import { openSandboxPool, type SandboxPool } from "../src/sandbox/pool/sandbox_pool.ts";

/** How bystander and attacker are related. */
export interface HostileSituation {
  readonly name: string;
  readonly sameKey: boolean;
  /** The attacker changes its text every time, so that the pool never recognizes a bad program. */
  readonly varied: boolean;
  /** Attacks that run at the same time. */
  readonly attackers: number;
  /** The highest p95 allowed, as a multiple of the quiet p95. */
  readonly ratioMax: number;
}

const OTHER_KEY = { sameKey: false, varied: false, attackers: 1, ratioMax: 2 };
const SAME_KEY = { ...OTHER_KEY, sameKey: true, ratioMax: 4 };
export const SITUATIONS: readonly HostileSituation[] = [
  { name: "other-key", ...OTHER_KEY },
  { name: "same-key", ...SAME_KEY },
  { name: "other-key-varied", ...OTHER_KEY, varied: true },
  { name: "same-key-varied", ...SAME_KEY, varied: true },
  { name: "same-key-three", ...SAME_KEY, attackers: 3 },
];

export interface HostileRow {
  readonly name: string;
  readonly runs: number;
  readonly failed: number;
  readonly p50: number;
  readonly p95: number;
  /** Hostile executions in the same time, and their error codes. */
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
/** The client's pause between two executions. */
const PAUSE_MS = 100;

type Run = (principalKey: string, code: string, signal?: AbortSignal) => ReturnType<
  SandboxPool["run"]
>;

/** Measures the bystander quietly, then beside each hostile program. */
export async function measureHostile(
  pool: SandboxPool,
  runs: number,
  situation: HostileSituation = SITUATIONS[0]!,
): Promise<{ quiet: HostileRow; rows: HostileRow[] }> {
  const run: Run = (principalKey, code, signal = new AbortController().signal) =>
    pool.run(
      { principalKey, session: null, code, limits: HOSTILE_LIMITS, names: null, seed: null },
      () => Promise.resolve({ ok: true, json: "3" }),
      signal,
    );
  const times: number[] = [];
  const rows: HostileRow[] = [];
  await bystand(run, runs);
  for (const attack of HOSTILE_NINE) {
    // Alternate quiet and attacked times: other load on the machine then changes both.
    times.push(...(await bystand(run, Math.ceil(runs / 2))).times);
    const stop = new AbortController();
    const attacking = startAttackers(run, attack.code, situation, stop.signal);
    const beside = await bystand(run, runs);
    await attacking.oneEnded;
    stop.abort();
    rows.push({ ...rowOf(attack.name, beside), ...await attacking.done });
  }
  return { quiet: rowOf("(quiet)", { times, failed: 0 }), rows };
}

interface Beside {
  readonly times: number[];
  readonly failed: number;
}

async function bystand(run: Run, runs: number): Promise<Beside> {
  const times: number[] = [];
  let failed = 0;
  for (let turn = 0; turn < runs; turn++) {
    const start = performance.now();
    const outcome = await run("bystander", BYSTANDER);
    times.push(performance.now() - start);
    if (outcome.resultJson !== "3") failed++;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return { times, failed };
}

function rowOf(name: string, { times, failed }: Beside): HostileRow {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!;
  const runs = times.length;
  return { name, runs, failed, p50: at(0.5), p95: at(0.95), attacks: 0, codes: [] };
}

function startAttackers(
  run: Run,
  code: string,
  situation: HostileSituation,
  stop: AbortSignal,
): { oneEnded: Promise<void>; done: Promise<Pick<HostileRow, "attacks" | "codes">> } {
  const principalKey = situation.sameKey ? "bystander" : "attacker";
  const codes = new Set<string>();
  let attacks = 0;
  let sent = 0;
  const oneEnded = Promise.withResolvers<void>();
  async function attack(): Promise<void> {
    while (!stop.aborted) {
      const text = situation.varied ? `${code}\n// ${sent++}` : code;
      const outcome = await run(principalKey, text, stop);
      if (outcome.status === "cancelled") break;
      attacks++;
      codes.add(outcome.error?.code ?? outcome.status);
      oneEnded.resolve();
    }
  }
  const done = Promise.all(Array.from({ length: situation.attackers }, attack))
    .then(() => ({ attacks, codes: [...codes] }));
  return { oneEnded: oneEnded.promise, done };
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
      program: new URL("../src/sandbox/host/host_main.ts", import.meta.url).pathname,
      cacheDir: denoCacheDir((name) => Deno.env.get(name)),
    }),
  });
}

function printRows(rows: readonly HostileRow[], quiet: HostileRow): void {
  for (const row of rows) {
    const ratio = (row.p95 / quiet.p95).toFixed(1);
    console.log(
      `  ${row.name.padEnd(24)} p50 ${row.p50.toFixed(1).padStart(6)}  p95 ${
        row.p95.toFixed(1).padStart(6)
      }  x${ratio}  failed ${row.failed} of ${row.runs}  attacks ${row.attacks} ${row.codes}`,
    );
  }
}

if (import.meta.main) {
  const asked = (name: string, all: readonly string[]) =>
    !all.some((other) => Deno.args.includes(other)) || Deno.args.includes(name);
  const runs = Number(Deno.args.find((text) => /^\d+$/.test(text)) ?? 40);
  const names = SITUATIONS.map((situation) => situation.name);
  const summary: string[] = [];
  for (const isolation of ISOLATIONS.filter((level) => asked(level, ISOLATIONS))) {
    for (const situation of SITUATIONS.filter(({ name }) => asked(name, names))) {
      const pool = await openPool(isolation);
      const { quiet, rows } = await measureHostile(pool, runs, situation);
      await pool.close();
      console.log(
        `${isolation}, ${situation.name}: quiet p50 ${quiet.p50.toFixed(1)} ms, p95 ${
          quiet.p95.toFixed(1)
        } ms`,
      );
      printRows(rows, quiet);
      const failed = rows.some((row) => row.failed > 0);
      const worst = Math.max(...rows.map((row) => row.p95 / quiet.p95));
      summary.push(
        `${isolation.padEnd(8)} ${situation.name.padEnd(18)} worst p95 ratio ${
          worst.toFixed(1)
        } (goal ${situation.ratioMax})${failed ? ", executions failed" : ""}`,
      );
    }
  }
  console.log(summary.join("\n"));
  Deno.exit(0);
}
