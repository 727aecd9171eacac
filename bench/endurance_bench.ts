/**
 * Ten thousand executions in a row at each level: does the service keep memory, descriptors, processes or
 * temporary files?
 *
 *     deno run -A bench/endurance_bench.ts [level] [executions]
 */
import { createHostCommand, denoCacheDir } from "../src/sandbox/host/host_command.ts";
import { type Isolation, ISOLATIONS } from "../src/sandbox/host/host_settings.ts";
import { openSandboxPool, type SandboxPool } from "../src/sandbox/pool/sandbox_pool.ts";
import { HOSTILE_LIMITS } from "./hostile_bench.ts";

export interface Footprint {
  readonly rssMb: number;
  readonly descriptors: number;
  readonly children: number;
  readonly temporaryFiles: number;
}

/** The memory, descriptors, processes and temporary files of this process now. */
export function footprint(): Footprint {
  const entries = (folder: string) => {
    try {
      return [...Deno.readDirSync(folder)].length;
    } catch {
      return 0;
    }
  };
  const { stdout } = new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(Deno.pid)] })
    .outputSync();
  return {
    rssMb: Deno.memoryUsage().rss / 1_048_576,
    descriptors: entries("/proc/self/fd"),
    // One child is ps itself.
    children: new TextDecoder().decode(stdout).trim().split("\n").length - 1,
    temporaryFiles: entries(Deno.env.get("TMPDIR") ?? "/tmp"),
  };
}

/** Runs `count` programs, a few at a time. */
export async function runMany(pool: SandboxPool, count: number): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: 4 }, async (_, lane) => {
    while (next < count) {
      const turn = next++;
      const outcome = await pool.run(
        {
          principalKey: `principal ${lane % 2}`,
          session: null,
          code:
            `const x = await tools.math.add({ a: ${turn}, b: 1 }); console.log(x); return { x }`,
          limits: HOSTILE_LIMITS,
          names: null,
          seed: null,
        },
        (call) =>
          Promise.resolve({ ok: true, json: JSON.stringify((call.args as { a: number }).a + 1) }),
        new AbortController().signal,
      );
      if (outcome.resultJson !== `{"x":${turn + 1}}`) {
        throw new Error(`Execution ${turn}: ${outcome.error?.message}`);
      }
    }
  }));
}

if (import.meta.main) {
  const [level, count = "10000"] = Deno.args;
  for (const isolation of ISOLATIONS) {
    if (level !== undefined && level !== isolation) continue;
    await endure(isolation, Number(count));
  }
  Deno.exit(0);
}

async function endure(isolation: Isolation, count: number): Promise<void> {
  const before = footprint();
  const pool = await openSandboxPool({
    isolation,
    warm: 2,
    hostsMax: 8,
    queueMax: 64,
    require: [],
    limits: HOSTILE_LIMITS,
    log: (logLevel, message) => console.error(logLevel, message),
    hostCommand: createHostCommand({
      executable: Deno.execPath(),
      standalone: false,
      program: new URL("../src/sandbox/host/host_main.ts", import.meta.url).pathname,
      cacheDir: denoCacheDir((name) => Deno.env.get(name)),
    }),
  });
  const start = performance.now();
  // First let the service's own heap grow to its size.
  const first = Math.ceil(count / 4);
  await runMany(pool, first);
  const early = footprint();
  await runMany(pool, count - first);
  const late = footprint();
  const seconds = (performance.now() - start) / 1_000;
  await pool.close();
  const after = footprint();
  const growth = (late.rssMb / early.rssMb - 1) * 100;
  console.log(
    `${isolation}: ${count} executions in ${seconds.toFixed(0)} s; service ${
      early.rssMb.toFixed(0)
    } MB after a quarter, ${late.rssMb.toFixed(0)} MB at the end (${
      growth.toFixed(1)
    } %); descriptors ${before.descriptors} -> ${after.descriptors}, children ${before.children} -> ${after.children}, temporary files ${before.temporaryFiles} -> ${after.temporaryFiles}`,
  );
}
