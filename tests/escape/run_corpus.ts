/** Runs escape programs in a pool, several at once, and reports what did not hold. */
import type { Limits } from "../../src/model/limits.ts";
import type { SandboxPool } from "../../src/sandbox/pool/sandbox_pool.ts";
import { callTestTool, LIMITS, runCode } from "../sandbox/open_pool.ts";
import { type EscapeProgram, judge } from "./escape_programs.ts";

/** Far above what the dearest program needs that another limit has to end, on a slow machine too. */
export const ESCAPE_LIMITS: Limits = { ...LIMITS, wallTimeMs: 40_000, cpuTimeMs: 8_000 };
/**
 * Programs that only a clock ends get little of it. Where another limit has to be the one, the wall
 * clock is far away, so that a busy machine does not let it win.
 */
const KILL_LIMITS: Limits = { ...LIMITS, wallTimeMs: 20_000, cpuTimeMs: 200 };
const WAIT_LIMITS: Limits = { ...KILL_LIMITS, wallTimeMs: 1_500 };
/** Every limit is enforced within this much of its bound; a shared machine may be slow on top. */
const LATE_MS = 60_000;

/** The port that the texts of programs name. */
const PORT_IN_TEXTS = "48123";

export interface Canaries {
  /** Of the listener; programs know another one, see `aimAtCanaries`. */
  readonly port: number;
  /** Contacts so far. */
  touched(): string[];
  close(): Promise<void>;
}

/** Things that no program may reach: a listener, an environment variable, a file. */
export function openCanaries(): Canaries {
  const touched: string[] = [];
  // It stays: another run in this process may still watch it.
  Deno.env.set("CANARY_ENV", "canary-env-value");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = async () => {
    for await (const connection of listener) {
      touched.push("a connection");
      connection.close();
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    touched() {
      try {
        Deno.statSync("/tmp/toolgate-canary-write");
        touched.push("a file");
      } catch {
        // Not there, as it should be.
      }
      return touched;
    },
    async close() {
      listener.close();
      await accepting;
    },
  };
}

/** The programs with the port of this run's listener, so that runs beside each other each have one. */
export function aimAtCanaries(programs: readonly EscapeProgram[], port: number): EscapeProgram[] {
  const aimed = programs.map((program) => ({
    ...program,
    code: program.code.replaceAll(PORT_IN_TEXTS, String(port)),
  }));
  const changed = aimed.filter(({ code }, index) => code !== programs[index]?.code);
  if (changed.length === 0) throw new Error(`No program names port ${PORT_IN_TEXTS}`);
  return aimed;
}

/** Runs all programs, `parallel` at a time, each as its own principal or as one. */
export async function runCorpus(
  pool: SandboxPool,
  programs: readonly EscapeProgram[],
  options: { parallel: number; principals: number },
): Promise<string[]> {
  const failures: string[] = [];
  let next = 0;
  const lane = async (lane: number) => {
    while (next < programs.length) {
      const program = programs[next++]!;
      const start = performance.now();
      const outcome = await runCode(pool, program.code, {
        limits: limitsFor(program),
        principalKey: `principal ${lane % options.principals}`,
        onCall: (call) =>
          call.server === "canary"
            ? Promise.resolve({
              ok: false,
              error: {
                code: "ERR_POLICY_DENIED",
                message: "Denied",
                hint: "",
                tool: "canary.touch",
              },
            })
            : callTestTool(call),
      });
      const late = performance.now() - start > LATE_MS ? "it ended too late" : null;
      const problem = judge(program, outcome) ?? late;
      if (problem !== null) failures.push(`${program.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, (_, index) => lane(index)));
  return failures;
}

function limitsFor({ expect, codes }: EscapeProgram): Limits {
  if (expect !== "kill") return ESCAPE_LIMITS;
  return codes.length === 0 || codes.includes("ERR_SANDBOX_WALL_TIME") ? WAIT_LIMITS : KILL_LIMITS;
}
