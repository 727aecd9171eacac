/** Reads the end of a program from its last message. */
import type { ErrorCode } from "../../model/errors.ts";
import type { ProgramError } from "../../model/execution.ts";
import { findInexactInteger, findNonFinite } from "../../model/json/json_numbers.ts";
import type { Limits } from "../../model/limits.ts";
import { explainSyntax } from "../../program/explain_syntax.ts";
import { NOTHING_RUNS } from "../../program/program_forms.ts";
import { exhaustionOf, placeOfSyntaxError, suggestFor, syntaxHint } from "../../program/suggest.ts";
import { isDeeperThan, utf8Bytes } from "../../rpc/json_depth.ts";
import type { HostMessage } from "../../rpc/protocol.ts";
import { limitError, type SandboxOutcome } from "./outcome.ts";
import { type Failure, parseFailure, parseLeftovers } from "./parse_failure.ts";
import { NESTING_MAX } from "./program_message.ts";

/** The part of an outcome that the program decides, and whether its host may be used again. */
export interface ProgramEnd
  extends Pick<SandboxOutcome, "status">, Partial<Pick<SandboxOutcome, "resultJson" | "oversize">> {
  readonly error?: ProgramError;
  /** True if the program hit no limit and left no timers or calls behind. */
  readonly clean: boolean;
}

/** The parts of the ended program that hints need. */
export interface EndedProgram {
  readonly code: string;
  /** Server names, for suggestions. */
  readonly servers: readonly string[];
}

/** The failure of a call, as the service answered it. */
interface KnownFailure {
  readonly code: ErrorCode;
  readonly hint: string;
}

/** The end of a program that returned. @returns null if the text breaks the protocol */
export function readResult(json: string, leftoverText: string, limits: Limits): ProgramEnd | null {
  const clean = readClean(leftoverText);
  if (clean === null) return null;
  if (json === "") return { status: "ok", clean };
  const failed = (error: ProgramError): ProgramEnd => ({ status: "error", error, clean });
  if (isDeeperThan(json, NESTING_MAX)) {
    return failed({
      ...limitError("ERR_SANDBOX_NESTING", limits),
      message: `The result is nested deeper than ${NESTING_MAX} levels`,
      hint: "Return a flatter value.",
    });
  }
  const bytes = utf8Bytes(json);
  if (bytes > limits.resultBytesMax) return oversizeEnd(json, bytes, limits);
  const value = parseJson(json);
  if (value === undefined) return null;
  const problem = numberProblem(value, json);
  return problem === null ? { status: "ok", resultJson: json, clean } : failed(problem);
}

/**
 * The end of a program that threw.
 *
 * @param failureOf the failure that the service sent for a call, if any
 * @returns null if the text breaks the protocol
 */
export function readFailure(
  text: string,
  leftoverText: string,
  program: EndedProgram,
  failureOf: (call: number) => KnownFailure | undefined,
): ProgramEnd | null {
  const failure = parseFailure(text);
  const clean = readClean(leftoverText);
  if (failure === null || clean === null) return null;
  // An uncaught error of a call gets the code that the service sent, not one that the program
  // claims.
  const known = failure.call === null ? undefined : failureOf(failure.call);
  const error = describeFailure(failure, known, program);
  return { status: "error", error, clean: clean && !error.code.startsWith("ERR_SANDBOX_") };
}

/** The end of a program that the host could not parse. */
export function readSyntax(
  message: HostMessage & { readonly kind: "syntax" },
  code: string,
): ProgramEnd {
  const text = String(message.message).slice(0, 1_000);
  const { line, column } = message;
  const place = typeof line === "number" && typeof column === "number" ? { line, column } : null;
  return { status: "error", error: syntaxError(code, text, place), clean: true };
}

/** @returns whether the program left nothing behind; null if the text breaks the protocol */
function readClean(leftoverText: string): boolean | null {
  const leftovers = parseLeftovers(leftoverText);
  return leftovers === null ? null : leftovers.timers === 0 && leftovers.calls === 0;
}

function oversizeEnd(json: string, bytes: number, limits: Limits): ProgramEnd {
  const error = {
    ...limitError("ERR_SANDBOX_RESULT_SIZE", limits),
    message: `The result has ${bytes} bytes, the limit is ${limits.resultBytesMax}`,
  };
  const oversize = bytes <= limits.toolResultBytesMax ? { bytes, json } : null;
  return { status: "error", error, oversize, clean: false };
}

function describeFailure(
  failure: Failure,
  known: KnownFailure | undefined,
  program: EndedProgram,
): ProgramError {
  const exhausted = exhaustionOf(failure);
  const code = known?.code ?? failure.code ?? exhausted?.code ?? "ERR_PROGRAM";
  const { name, message, stack, line, column } = failure;
  const place = line === null || column === null ? null : { line, column };
  if (code === "ERR_SYNTAX") return syntaxError(program.code, message, place);
  const hint = known?.hint ?? exhausted?.hint ?? failure.hint;
  return {
    code,
    name,
    message,
    hint: hint === "" ? suggestFor(message, program.servers, program.code) : hint,
    stack,
    ...(place ?? {}),
  };
}

/** @param place where the parser stopped; null if unknown. */
function syntaxError(
  code: string,
  message: string,
  place: { readonly line: number; readonly column: number } | null,
): ProgramError {
  const base = { code: "ERR_SYNTAX", name: "SyntaxError" } as const;
  const known = message.startsWith(NOTHING_RUNS) ? null : explainSyntax(code);
  if (known !== null) return { ...base, ...known };
  return {
    ...base,
    message,
    hint: syntaxHint(message),
    ...place ?? placeOfSyntaxError(message, code) ?? {},
  };
}

/** The error for numbers that a reader would lose; `JSON.rawJSON` can write any digits. */
function numberProblem(value: unknown, json: string): ProgramError | null {
  const place = findNonFinite(value, "result");
  const inexact = place === null ? findInexactInteger(json, "result") : null;
  if (place === null && inexact === null) return null;
  return {
    code: "ERR_PROGRAM",
    name: "RangeError",
    message: inexact === null
      ? `The result cannot be read: ${place} is not a finite number`
      : `The result cannot be read: ${inexact.place} is ${inexact.text}, which no number can hold exactly`,
    hint: "Return it as a text.",
  };
}

/** @returns undefined if the text is not JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
