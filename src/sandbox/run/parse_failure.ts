import type { ErrorCode } from "../../model/errors.ts";
import type { Leftovers } from "../../rpc/protocol.ts";

/** An uncaught error as the realm describes it, shape and sizes checked. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly call: number | null;
  readonly code: ErrorCode | null;
  readonly hint: string;
}

/** The realm cuts failures to 14,000 characters; a control character takes six in JSON. */
const FAILURE_CHARS_MAX = 131_072;

/** Codes that the realm may set; with any other code a program could claim a false cause. */
const REALM_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "ERR_SYNTAX",
  "ERR_RESULT_FORM",
  "ERR_INVALID_ARGUMENTS",
  "ERR_SANDBOX_CALLS",
  "ERR_SANDBOX_MESSAGE_SIZE",
  "ERR_SANDBOX_RESULT_SIZE",
  "ERR_SANDBOX_LOG_SIZE",
  "ERR_SANDBOX_TIMERS",
  "ERR_SANDBOX_NESTING",
  "ERR_SANDBOX_MEMORY",
  "ERR_SANDBOX_STALLED",
]);

/** @returns null if the text is not a valid message of a realm. */
export function parseFailure(text: string): Failure | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { name, message, stack, line, column, call, code, hint } = value;
  if (typeof name !== "string" || typeof message !== "string" || typeof stack !== "string") {
    return null;
  }
  if (typeof hint !== "string") return null;
  if (!isCountOrNull(line) || !isCountOrNull(column) || !isCountOrNull(call)) return null;
  if (code !== null && (typeof code !== "string" || !REALM_CODES.has(code))) return null;
  return {
    name: name.slice(0, 100),
    message: message.slice(0, 4_000),
    stack: stack.slice(0, 8_000),
    line,
    column,
    call,
    code: code as ErrorCode | null,
    hint: hint.slice(0, 1_000),
  };
}

/** @returns null if the text is not a valid message of a realm. */
export function parseLeftovers(text: string): Leftovers | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { timers, calls } = value;
  return isCount(timers) && isCount(calls) ? { timers, calls } : null;
}

function parseObject(text: string): { readonly [key: string]: unknown } | null {
  if (text.length > FAILURE_CHARS_MAX) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? Object.assign(Object.create(null), value)
      : null;
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || isCount(value);
}
