import type { PreflightFinding, ProgramError } from "../../model/execution.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import { NOTHING_FOUND, type Preflight, type PreflightReport } from "./preflight.ts";

/** What the check of a program says in the answer to its execution. */

/**
 * How long a program that has ended waits for its check. A check takes some 15 ms; the first one starts a
 * process, which takes a second, and several on a busy machine.
 */
export const CHECK_PATIENCE_MS = 10_000;

/** The report on a program that has ended; of a short program the check may still be under way. */
export async function finishedCheck(
  check: Promise<PreflightReport>,
  patienceMs = CHECK_PATIENCE_MS,
): Promise<PreflightReport> {
  return await withinMs(check, patienceMs) ?? {
    ...NOTHING_FOUND,
    unchecked: `the check was not finished ${patienceMs / 1_000} s after the program`,
  };
}

/** The error of a program that is not run because of its findings. */
export function preflightError(findings: readonly PreflightFinding[]): ProgramError {
  const [first] = findings;
  const places = findings.map(({ line, column, message }) => `${line}:${column} ${message}`);
  return {
    code: "ERR_PREFLIGHT",
    name: "PreflightError",
    message: places.join("\n"),
    hint: "Nothing has run; correct these places and send the program again",
    ...(first === undefined ? {} : { line: first.line, column: first.column }),
  };
}

/** The engine does not say where a program breaks its rules; the check of the same program does. */
export function placed(error: ProgramError, { findings }: PreflightReport): ProgramError {
  const [first] = findings;
  if (error.code !== "ERR_SYNTAX" || error.line !== undefined || first === undefined) return error;
  return { ...error, line: first.line, column: first.column };
}

/** What a program is warned of that ran all the same. */
export function warningsOf(
  mode: Preflight["mode"],
  { findings, advice, unchecked }: PreflightReport,
): readonly PreflightFinding[] {
  const told = mode === "block" ? advice : [...findings, ...advice].sort(byPlace);
  if (unchecked === null) return told;
  return [...told, { line: 1, column: 1, message: `The program ran unchecked: ${unchecked}` }];
}

function byPlace(a: PreflightFinding, b: PreflightFinding): number {
  return a.line - b.line || a.column - b.column;
}
