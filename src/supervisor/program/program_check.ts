import type { PreflightFinding, ProgramError } from "../../model/execution.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import { NOTHING_FOUND, type Preflight, type PreflightReport } from "./preflight.ts";

/** The findings of a program's check in the answer to its execution. */

/**
 * How long the answer of an ended program waits for its check. A check takes about 15 ms; the first
 * one starts a process, which takes a second, or several seconds on a busy machine.
 */
export const CHECK_PATIENCE_MS = 10_000;

/** Waits for the report on an ended program; a short program may end before its check. */
export async function finishedCheck(
  check: Promise<PreflightReport>,
  patienceMs = CHECK_PATIENCE_MS,
): Promise<PreflightReport> {
  return await withinMs(check, patienceMs) ?? {
    ...NOTHING_FOUND,
    unchecked: `the check was not finished ${patienceMs / 1_000} s after the program`,
  };
}

/** The error of a program that its findings stopped. */
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

/** Adds the position of a syntax error from the check, because the engine may not report it. */
export function placed(error: ProgramError, { findings }: PreflightReport): ProgramError {
  const [first] = findings;
  if (error.code !== "ERR_SYNTAX" || error.line !== undefined || first === undefined) return error;
  return { ...error, line: first.line, column: first.column };
}

/** The warnings in the answer of a program that ran. */
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
