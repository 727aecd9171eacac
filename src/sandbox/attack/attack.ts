import type { Limits } from "../../model/limits.ts";
import type { SandboxPool } from "../pool/sandbox_pool.ts";
import type { CallReply, SandboxCall } from "../run/sandbox_call.ts";
import type { SandboxOutcome } from "../run/outcome.ts";
import { type AttackProgram, ESCAPE_SAMPLE, HOSTILE_NINE } from "./attack_programs.ts";

/** The result of one attack. */
export interface AttackRow {
  readonly name: string;
  readonly expected: string;
  /** The error code, or what the program returned. */
  readonly got: string;
  readonly ok: boolean;
  readonly ms: number;
}

/** Principals of the attacks and of the bystander; no real principal has such a key. */
const ATTACKER = "(attack)";
const BYSTANDER = "(bystander)";
/** Attacks get short limits: the test is whether a limit holds, not how long it is. */
const CLOCK_MS_MAX = 2_000;

/**
 * Runs hostile programs against a running sandbox: nine that try to take the service down, and a
 * sample of escapes. After each of them, another principal's program must run normally.
 *
 * @param limits the service's own; time limits are shortened
 */
export async function runAttacks(pool: SandboxPool, limits: Limits): Promise<AttackRow[]> {
  const short: Limits = {
    ...limits,
    cpuTimeMs: Math.min(limits.cpuTimeMs, CLOCK_MS_MAX),
    wallTimeMs: Math.min(limits.wallTimeMs, CLOCK_MS_MAX * 5),
  };
  const rows: AttackRow[] = [];
  for (const attack of [...HOSTILE_NINE, ...ESCAPE_SAMPLE]) {
    const startedAt = performance.now();
    const outcome = await runOne(pool, attack.code, short, ATTACKER);
    const ms = Math.round(performance.now() - startedAt);
    const got = describeOutcome(outcome);
    const bystander = await runOne(pool, "return 1", limits, BYSTANDER);
    const held = isHeld(attack, outcome);
    const unharmed = bystander.resultJson === "1";
    rows.push({
      name: attack.name,
      expected: attack.expected,
      got: unharmed ? got : `${got}; another execution failed: ${describeOutcome(bystander)}`,
      ok: held && unharmed,
      ms,
    });
  }
  return rows;
}

function runOne(
  pool: SandboxPool,
  code: string,
  limits: Limits,
  principalKey: string,
): Promise<SandboxOutcome> {
  return pool.run(
    { principalKey, session: null, code, limits, names: null, seed: null },
    answer,
    new AbortController().signal,
  );
}

function answer(call: SandboxCall): Promise<CallReply> {
  if (call.server === "attack" && call.tool === "ping") {
    return Promise.resolve({ ok: true, json: '"pong"' });
  }
  const tool = `${call.server}.${call.tool}`;
  return Promise.resolve({
    ok: false,
    error: { code: "ERR_TOOL_NOT_FOUND", message: `No tool ${tool}`, hint: "", tool },
  });
}

function isHeld(attack: AttackProgram, outcome: SandboxOutcome): boolean {
  const code = outcome.error?.code ?? "";
  if (code === "ERR_SANDBOX_CRASH" || code === "ERR_SANDBOX_PROTOCOL") return false;
  if (attack.codes !== "refused") return attack.codes.includes(code);
  return outcome.status !== "ok" || outcome.resultJson === '"held"';
}

function describeOutcome(outcome: SandboxOutcome): string {
  return outcome.error === null
    ? `returned ${(outcome.resultJson ?? "nothing").slice(0, 80)}`
    : outcome.error.code;
}
