import type { PreflightFinding } from "../model/execution.ts";

/**
 * Messages between the service and the checker process, in the frames of `rpc/frames.ts`.
 * The stamp of a frame is the number of the check. Payloads are JSON.
 */
export const CHECKER_FRAME = {
  /** Service to checker: {@linkcode CheckRequest}. */
  check: 0x43,
  /** Checker to service: ready for the first check. No payload. */
  ready: 0x72,
  /** Checker to service: the findings, {@linkcode CheckFinding}`[]`. */
  findings: 0x66,
  /** Checker to service: this program could not be checked, {@linkcode CheckFailure}. */
  failed: 0x78,
} as const;

export interface CheckRequest {
  readonly code: string;
  readonly declarations: string;
  /**
   * The declarations without types inferred from results; absent if there are no inferred types.
   */
  readonly declaredOnly?: string;
  /** After this time the checker ends itself, unless the service ended it before. */
  readonly budgetMs: number;
}

export type CheckFailure = "nesting" | "internal";

/** The largest payload of a check. */
export const REQUEST_BYTES_MAX = 8 * 1_048_576;
/** The largest payload of an answer: enough for `FINDINGS_MAX` findings. */
export const REPLY_BYTES_MAX = 65_536;

export const FINDINGS_MAX = 20;
export const MESSAGE_LENGTH_MAX = 300;
const PLACE_MAX = 1_000_000;

/** One message of the check about a place in the program. */
export interface CheckFinding extends PreflightFinding {
  /** The program may still be correct: warn, but do not refuse it. */
  readonly isAdvice?: true;
  /**
   * The finding depends on types inferred from results. Absent: it depends only on declarations of
   * servers and on the language.
   */
  readonly isObserved?: true;
  /** The name nearly equals a known field: it is wrong, however few results were seen. */
  readonly isMisspelling?: true;
}

/** Parses untrusted findings: checks size and shape, and blanks control characters. */
export function parseFindings(value: unknown): CheckFinding[] | null {
  if (!Array.isArray(value) || value.length > FINDINGS_MAX) return null;
  const findings: CheckFinding[] = [];
  for (const item of value) {
    if (typeof item !== "object" || item === null) return null;
    const { line, column, message, ...marks } = item as { [name: string]: unknown };
    if (!isPlace(line) || !isPlace(column) || typeof message !== "string") return null;
    if (message.length > MESSAGE_LENGTH_MAX) return null;
    const text = message.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ");
    findings.push({
      line,
      column,
      message: text,
      ...(marks.isAdvice === true ? { isAdvice: true } : {}),
      ...(marks.isObserved === true ? { isObserved: true } : {}),
      ...(marks.isMisspelling === true ? { isMisspelling: true } : {}),
    });
  }
  return findings;
}

function isPlace(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= PLACE_MAX;
}
