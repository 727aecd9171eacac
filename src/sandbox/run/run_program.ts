import type { ErrorCode } from "../../model/errors.ts";
import type { LogLine, ProgramError } from "../../model/execution.ts";
import { findInexactInteger, findNonFinite } from "../../model/json/json_numbers.ts";
import type { Limits } from "../../model/limits.ts";
import { NOTHING_RUNS } from "../../program/program_forms.ts";
import { exhaustionOf, placeOfSyntaxError, suggestFor, syntaxHint } from "../../program/suggest.ts";
import { isDeeperThan, utf8Bytes } from "../../rpc/json_depth.ts";
import {
  FRAME,
  type HostMessage,
  KIND,
  type Message,
  type ProgramMessage,
  readMessages,
} from "../../rpc/protocol.ts";
import type { HostProcess } from "../host/host_process.ts";
import {
  type CallReply,
  createCallLane,
  NESTING_MAX,
  type SandboxCall,
  windowChars,
} from "./call_lane.ts";
import { explainSyntax } from "../../program/explain_syntax.ts";
import { causeOfDeath, limitError, type SandboxOutcome } from "./outcome.ts";
import { type Failure, parseFailure, parseLeftovers } from "./parse_failure.ts";

/** What `runProgram` needs to know of the program. */
export interface ProgramRun {
  readonly code: string;
  readonly limits: Limits;
  /** JSON, see `ProgramMessage.names`. */
  readonly names: string;
  /** Server names, for suggestions. */
  readonly servers: readonly string[];
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
  readonly onCall: (call: SandboxCall) => Promise<CallReply>;
  readonly signal: AbortSignal;
}

/** The outcome, and whether the host may be used again. */
export interface FinishedRun {
  readonly outcome: SandboxOutcome;
  /** Nothing hit a limit, nothing is left over, nothing broke the protocol. */
  readonly clean: boolean;
}

const LOG_ENTRIES_MAX = 2_000;
const TIMERS_MAX = 1_000;
const LOG_LEVELS = new Set(["log", "info", "warn", "error", "debug"]);
const NOTES_MAX = 10;
const NOTE_CHARS_MAX = 2_000;
const CPU_PAUSE_MS_MIN = 20;
const CPU_PAUSE_MS_MAX = 500;
const MESSAGES_PER_FRAME_MAX = 10_000;

/**
 * Runs one program in a ready host and enforces every limit that the service can see.
 *
 * Everything the host says is untrusted: shapes, order, counts and sizes are checked, and whatever no
 * honest host sends ends the execution with `ERR_SANDBOX_PROTOCOL`. Never rejects.
 */
export function runProgram(host: HostProcess, run: ProgramRun): Promise<FinishedRun> {
  const { limits } = run;
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<FinishedRun>();
  const logs: LogLine[] = [];
  let logBytes = 0;
  let notes = 0;
  let cpuMs = 0;
  let over = false;

  const calls = createCallLane({
    limits,
    onCall: run.onCall,
    send: (messages) => host.send(FRAME.replies, messages),
  });
  const wallTimer = setTimeout(() => stop("timeout", "ERR_SANDBOX_WALL_TIME"), limits.wallTimeMs);
  let cpuTimer = setTimeout(askForCpu, cpuPauseMs());
  const onAbort = () => stop("cancelled", "ERR_CANCELLED");
  run.signal.addEventListener("abort", onAbort, { once: true });

  host.listen({
    onWorkerText(text, stampMs) {
      cpuMs = stampMs;
      const messages = readMessages(text, MESSAGES_PER_FRAME_MAX);
      if (messages === null) return violate();
      for (const message of messages) {
        // Whatever comes after the outcome is not part of it.
        if (over) return;
        take(message);
      }
    },
    onHostMessage(message, stampMs) {
      cpuMs = stampMs;
      takeHostMessage(message);
    },
    onViolation: violate,
    onDeath(death) {
      const code = causeOfDeath(death);
      stop(code === "ERR_SANDBOX_CPU_TIME" ? "timeout" : "error", code);
    },
  });

  function finish(part: Partial<SandboxOutcome> & Pick<SandboxOutcome, "status">, clean: boolean) {
    if (over) return;
    over = true;
    clearTimeout(wallTimer);
    clearTimeout(cpuTimer);
    run.signal.removeEventListener("abort", onAbort);
    host.listen(null);
    if (!clean) host.kill();
    calls.close();
    resolve({
      clean,
      outcome: {
        resultJson: null,
        oversize: null,
        error: null,
        ...part,
        logs,
        callCount: calls.count,
        wallMs: performance.now() - startedAt,
        cpuMs,
      },
    });
  }

  /** The limit cannot be passed sooner than the cores of a host can compute what is left of it. */
  function cpuPauseMs(): number {
    const leftMs = limits.cpuTimeMs - cpuMs;
    return Math.min(CPU_PAUSE_MS_MAX, Math.max(CPU_PAUSE_MS_MIN, leftMs / 2));
  }
  function askForCpu(): void {
    void host.send(FRAME.ask, "");
  }

  function fail(error: ProgramError, clean: boolean): void {
    finish({ status: "error", error }, clean);
  }
  function stop(status: "error" | "timeout" | "cancelled", code: ErrorCode): void {
    finish({ status, error: limitError(code, limits) }, false);
  }
  function violate(): void {
    stop("error", "ERR_SANDBOX_PROTOCOL");
  }

  function takeHostMessage(message: HostMessage): void {
    if (message.kind === "usage") {
      if (cpuMs > limits.cpuTimeMs) return stop("timeout", "ERR_SANDBOX_CPU_TIME");
      cpuTimer = setTimeout(askForCpu, cpuPauseMs());
      return;
    }
    if (message.kind !== "syntax") return violate();
    const text = String(message.message).slice(0, 1_000);
    const { line, column } = message;
    const place = typeof line === "number" && typeof column === "number" ? { line, column } : null;
    fail(syntaxError(run.code, text, place), true);
  }

  function take(message: Message): void {
    const { kind, id, fields } = message;
    const [first = "", second = "", third = ""] = fields;
    if (kind === KIND.call && fields.length === 3) {
      const code = calls.take(id, first, second, third);
      if (code !== null) stop("error", code);
    } else if (kind === KIND.log && fields.length === 2) takeLog(first, second);
    else if (kind === KIND.note && fields.length === 1) takeNote(first);
    else if (kind === KIND.done && fields.length === 2) takeResult(first, second);
    else if (kind === KIND.failed && fields.length === 2) takeFailure(first, second);
    else violate();
  }

  function takeLog(level: string, text: string): void {
    if (!LOG_LEVELS.has(level)) return violate();
    logBytes += utf8Bytes(text);
    if (logBytes > limits.logBytesMax || logs.length >= LOG_ENTRIES_MAX + NOTES_MAX) {
      return stop("error", "ERR_SANDBOX_LOG_SIZE");
    }
    logs.push({ level, text });
  }

  function takeNote(text: string): void {
    if (++notes > NOTES_MAX || text.length > NOTE_CHARS_MAX) return violate();
    logs.push({ level: "warn", text });
  }

  function takeResult(json: string, leftoverText: string): void {
    const leftovers = parseLeftovers(leftoverText);
    if (leftovers === null) return violate();
    const clean = leftovers.timers === 0 && leftovers.calls === 0;
    if (json === "") return finish({ status: "ok" }, clean);
    if (isDeeperThan(json, NESTING_MAX)) {
      return fail({
        ...limitError("ERR_SANDBOX_NESTING", limits),
        message: `The result is nested deeper than ${NESTING_MAX} levels`,
        hint: "Return a flatter value.",
      }, clean);
    }
    const bytes = utf8Bytes(json);
    if (bytes > limits.resultBytesMax) {
      const error = {
        ...limitError("ERR_SANDBOX_RESULT_SIZE", limits),
        message: `The result has ${bytes} bytes, the limit is ${limits.resultBytesMax}`,
      };
      const oversize = bytes <= limits.toolResultBytesMax ? { bytes, json } : null;
      return finish({ status: "error", error, oversize }, false);
    }
    const value = parseJson(json);
    if (value === undefined) return violate();
    const problem = numberProblem(value, json);
    if (problem !== null) return fail(problem, clean);
    finish({ status: "ok", resultJson: json }, clean);
  }

  function takeFailure(text: string, leftoverText: string): void {
    const failure = parseFailure(text);
    const leftovers = parseLeftovers(leftoverText);
    if (failure === null || leftovers === null) return violate();
    // How a call failed is known here: an uncaught error keeps that code, not one the program claims.
    const known = failure.call === null ? undefined : calls.failureOf(failure.call)?.error;
    const error = describeFailure(failure, known, run);
    const limited = error.code.startsWith("ERR_SANDBOX_");
    fail(error, leftovers.timers === 0 && leftovers.calls === 0 && !limited);
  }

  if (run.signal.aborted) onAbort();
  else void host.send(FRAME.program, JSON.stringify(programMessage(run)));
  return promise;
}

/** The longest frame that a run with these limits needs, in bytes. */
export function frameBytesMax(limits: Limits): number {
  const chars = Math.max(
    limits.toolResultBytesMax,
    windowChars(limits) + limits.toolArgumentBytesMax,
    limits.codeBytesMax * 2,
  );
  return chars * 3 + 8_388_608;
}

function programMessage(run: ProgramRun): ProgramMessage {
  const { limits } = run;
  return {
    code: run.code,
    names: run.names,
    seed: run.seed,
    realm: {
      toolCallsMax: limits.toolCallsMax,
      argumentCharsMax: limits.toolArgumentBytesMax,
      windowChars: windowChars(limits),
      resultCharsMax: limits.toolResultBytesMax,
      logCharsMax: limits.logBytesMax,
      logEntriesMax: LOG_ENTRIES_MAX,
      timersMax: TIMERS_MAX,
      nestingMax: NESTING_MAX,
    },
  };
}

function describeFailure(
  failure: Failure,
  known: { readonly code: ErrorCode; readonly hint: string } | undefined,
  run: ProgramRun,
): ProgramError {
  const exhausted = exhaustionOf(failure);
  const code = known?.code ?? failure.code ?? exhausted?.code ?? "ERR_PROGRAM";
  const { name, message, stack, line, column } = failure;
  const place = line === null || column === null ? null : { line, column };
  if (code === "ERR_SYNTAX") return syntaxError(run.code, message, place);
  const hint = known?.hint ?? exhausted?.hint ?? failure.hint;
  return {
    code,
    name,
    message,
    hint: hint === "" ? suggestFor(message, run.servers, run.code) : hint,
    stack,
    ...(place ?? {}),
  };
}

/** @param place where the parser gave up; null if it does not say. */
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

/** A program can write numbers as it likes (`JSON.rawJSON`), but not return what nobody can read. */
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
