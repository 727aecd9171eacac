import type { PreflightFinding } from "../model/execution.ts";

/**
 * What the service and the checker process say to each other, in the frames of `rpc/frames.ts`.
 * The stamp of a frame is the number of the check. Payloads are JSON.
 */
export const CHECKER_FRAME = {
  /** Service to checker: {@linkcode CheckRequest}. */
  check: 0x43,
  /** Checker to service: it can take the first check. No payload. */
  ready: 0x72,
  /** Checker to service: the findings, {@linkcode CheckFinding}`[]`. */
  findings: 0x66,
  /** Checker to service: it could not check this program, {@linkcode CheckFailure}. */
  failed: 0x78,
} as const;

export interface CheckRequest {
  readonly code: string;
  readonly declarations: string;
  /** The same without what results have shown; absent if that adds nothing to them. */
  readonly declaredOnly?: string;
  /** After this time the checker ends itself, if the service did not do it before. */
  readonly budgetMs: number;
}

export type CheckFailure = "nesting" | "internal";

/** Payload of a check. */
export const REQUEST_BYTES_MAX = 8 * 1_048_576;
/** Payload of an answer: some twenty findings. */
export const REPLY_BYTES_MAX = 65_536;

export const FINDINGS_MAX = 20;
export const MESSAGE_LENGTH_MAX = 300;
const PLACE_MAX = 1_000_000;

/** What the check has to say about a place of the program. */
export interface CheckFinding extends PreflightFinding {
  /** The program may be right all the same: worth a warning, no reason to refuse it. */
  readonly isAdvice?: true;
  /**
   * Without what results have shown so far nobody would find this. Absent: it rests on what servers declare
   * and on the language.
   */
  readonly isObserved?: true;
  /** A name that is nearly one of the known fields: it is wrong whoever has seen how many results. */
  readonly isMisspelling?: true;
}

/** Findings as a stranger's bytes give them: checked in size and shape, without control characters. */
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
