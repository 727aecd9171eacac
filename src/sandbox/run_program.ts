import type { ErrorCode } from "../model/errors.ts";
import type { LogLine, ProgramError } from "../model/execution.ts";
import type { Limits } from "../model/limits.ts";
import { isDeeperThan, utf8Bytes } from "../rpc/json_depth.ts";
import {
  encodeMessage,
  FRAME,
  type HostMessage,
  KIND,
  type Message,
  type ProgramMessage,
  readMessages,
  type ReplyError,
} from "../rpc/protocol.ts";
import type { HostProcess } from "./host_process.ts";
import { causeOfDeath, limitError, type SandboxOutcome } from "./outcome.ts";
import { parseFailure, parseLeftovers } from "./parse_failure.ts";
import { exhaustionOf, suggestFor } from "./suggest.ts";

/** One call of the program, as it spelled it. Everything in it comes from the program. */
export interface SandboxCall {
  /** 0 for the first call of the execution, then consecutive. */
  readonly index: number;
  /** Empty for `$search` and `$describe`. */
  readonly server: string;
  readonly tool: string;
  readonly args: unknown;
  readonly argsBytes: number;
  /** Aborted when the execution ends before the call does. */
  readonly signal: AbortSignal;
}

export type CallReply =
  | { readonly ok: true; readonly json: string }
  | {
    readonly ok: false;
    readonly error: {
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      readonly tool: string;
    };
  };

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
const NESTING_MAX = 200;
const NAME_CHARS_MAX = 300;
const LOG_LEVELS = new Set(["log", "info", "warn", "error", "debug"]);
const NOTES_MAX = 10;
const NOTE_CHARS_MAX = 2_000;
const REPLY_BATCH_CHARS = 262_144;

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
  const abort = new AbortController();
  const logs: LogLine[] = [];
  const waiting: { call: SandboxCall; chars: number }[] = [];
  const failures = new Map<number, ReplyError>();
  let logBytes = 0;
  let notes = 0;
  let callCount = 0;
  let active = 0;
  let openChars = 0;
  let cpuMs = 0;
  let parsing = true;
  let over = false;
  let replies = "";
  let replyCount = 0;

  const wallTimer = setTimeout(() => stop("timeout", "ERR_SANDBOX_WALL_TIME"), limits.wallTimeMs);
  const onAbort = () => stop("cancelled", "ERR_CANCELLED");
  run.signal.addEventListener("abort", onAbort, { once: true });

  host.listen({
    onWorkerText(text, stampMs) {
      cpuMs = stampMs;
      parsing = false;
      if (over) return;
      const messages = readMessages(text, 100_000);
      if (messages === null) return violate();
      for (const message of messages) {
        if (over) return;
        take(message);
      }
    },
    onHostMessage(message, stampMs) {
      if (over) return;
      cpuMs = stampMs;
      takeHostMessage(message);
    },
    onViolation: violate,
    onDeath(death) {
      const code = causeOfDeath(death, parsing);
      stop(code === "ERR_SANDBOX_CPU_TIME" ? "timeout" : "error", code);
    },
  });

  function finish(part: Partial<SandboxOutcome> & Pick<SandboxOutcome, "status">, clean: boolean) {
    if (over) return;
    over = true;
    clearTimeout(wallTimer);
    run.signal.removeEventListener("abort", onAbort);
    host.listen(null);
    if (!clean) host.kill();
    waiting.length = 0;
    abort.abort();
    resolve({
      clean,
      outcome: {
        resultJson: null,
        oversize: null,
        error: null,
        ...part,
        logs,
        callCount,
        wallMs: performance.now() - startedAt,
        cpuMs,
      },
    });
  }

  function fail(error: ProgramError, clean = false): void {
    finish({ status: "error", error }, clean);
  }
  function stop(status: "error" | "timeout" | "cancelled", code: ErrorCode): void {
    finish({ status, error: limitError(code, limits) }, false);
  }
  function violate(): void {
    stop("error", "ERR_SANDBOX_PROTOCOL");
  }

  function takeHostMessage(message: HostMessage): void {
    if (message.kind === "cpu") return stop("timeout", "ERR_SANDBOX_CPU_TIME");
    if (message.kind === "memory") return stop("error", "ERR_SANDBOX_MEMORY");
    if (message.kind !== "syntax") return violate();
    const place = typeof message.line === "number" && typeof message.column === "number"
      ? { line: message.line, column: message.column }
      : {};
    fail({
      code: "ERR_SYNTAX",
      name: "SyntaxError",
      message: String(message.message).slice(0, 1_000),
      hint: syntaxHint(String(message.message)),
      ...place,
    }, true);
  }

  function take(message: Message): void {
    const { kind, id, fields } = message;
    if (kind === KIND.call && fields.length === 3) {
      takeCall(id, fields[0]!, fields[1]!, fields[2]!);
    } else if (kind === KIND.log && fields.length === 2) takeLog(fields[0]!, fields[1]!);
    else if (kind === KIND.note && fields.length === 1) takeNote(fields[0]!);
    else if (kind === KIND.done && fields.length === 2) takeResult(fields[0]!, fields[1]!);
    else if (kind === KIND.failed && fields.length === 2) takeFailure(fields[0]!, fields[1]!);
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

  function takeCall(id: number, server: string, tool: string, json: string): void {
    if (id !== callCount) return violate();
    if (callCount >= limits.toolCallsMax) return stop("error", "ERR_SANDBOX_CALLS");
    callCount++;
    openChars += json.length;
    // The realm keeps this window; a host that does not is broken.
    if (openChars > windowChars(limits) + limits.toolArgumentBytesMax) return violate();
    const title = (server === "" ? tool : `${server}.${tool}`).slice(0, NAME_CHARS_MAX);
    if (server.length > NAME_CHARS_MAX || tool.length > NAME_CHARS_MAX) {
      return refuse(
        id,
        json.length,
        refusal("ERR_TOOL_NOT_FOUND", "No tool has such a long name", "", title),
      );
    }
    const argsBytes = utf8Bytes(json);
    if (argsBytes > limits.toolArgumentBytesMax) {
      return refuse(
        id,
        json.length,
        refusal(
          "ERR_SANDBOX_MESSAGE_SIZE",
          `Cannot call ${title}: the arguments have ${argsBytes} bytes, the limit is ${limits.toolArgumentBytesMax}`,
          "Send less at once, for example in several calls.",
          title,
        ),
      );
    }
    if (isDeeperThan(json, NESTING_MAX)) {
      return refuse(
        id,
        json.length,
        refusal(
          "ERR_SANDBOX_NESTING",
          `Cannot call ${title}: the arguments are nested deeper than ${NESTING_MAX} levels`,
          "Send flatter arguments.",
          title,
        ),
      );
    }
    let args: unknown;
    try {
      args = JSON.parse(json);
    } catch {
      return violate();
    }
    const call = { index: id, server, tool, args, argsBytes, signal: abort.signal };
    waiting.push({ call, chars: json.length });
    startCalls();
  }

  function refuse(id: number, chars: number, refusal: CallReply): void {
    void reply(id, chars, refusal);
  }

  function startCalls(): void {
    while (!over && active < limits.concurrentCallsMax && waiting.length > 0) {
      const { call, chars } = waiting.shift()!;
      active++;
      void answer(call, chars);
    }
  }

  async function answer(call: SandboxCall, chars: number): Promise<void> {
    let result: CallReply;
    try {
      result = await run.onCall(call);
    } catch {
      result = refusal(
        "ERR_INTERNAL",
        `Cannot call ${call.server}.${call.tool}: internal error`,
        "The operator finds the cause in the service log.",
        `${call.server}.${call.tool}`,
      );
    }
    if (over) return;
    if (result.ok && !fitsBytes(result.json, limits.toolResultBytesMax)) {
      result = refusal(
        "ERR_UPSTREAM_RESULT",
        `The result of ${call.server}.${call.tool} is longer than ${limits.toolResultBytesMax} bytes`,
        "Ask for less: a page, a filter, fewer fields.",
        `${call.server}.${call.tool}`,
      );
    }
    await reply(call.index, chars, result);
    active--;
    startCalls();
  }

  /** Resolves at once, or, when much is queued, when the pipe has taken it. */
  async function reply(id: number, chars: number, result: CallReply): Promise<void> {
    openChars -= chars;
    if (result.ok) replies += encodeMessage(KIND.replyOk, id, [result.json]);
    else {
      // Which call failed how is remembered here: an uncaught error keeps the code we know, not one the
      // program claims.
      failures.set(id, result.error);
      replies += encodeMessage(KIND.replyError, id, [JSON.stringify(result.error)]);
    }
    replyCount++;
    if (replyCount === 1) queueMicrotask(flushReplies);
    if (replies.length > REPLY_BATCH_CHARS) await flushReplies();
  }

  async function flushReplies(): Promise<void> {
    if (replies === "" || over) return;
    const text = replies;
    replies = "";
    replyCount = 0;
    await host.send(FRAME.replies, text);
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
    try {
      JSON.parse(json);
    } catch {
      return violate();
    }
    finish({ status: "ok", resultJson: json }, clean);
  }

  function takeFailure(text: string, leftoverText: string): void {
    const failure = parseFailure(text);
    const leftovers = parseLeftovers(leftoverText);
    if (failure === null || leftovers === null) return violate();
    const known = failure.call === null ? undefined : failures.get(failure.call);
    const exhausted = exhaustionOf(failure);
    const code = (known?.code as ErrorCode | undefined) ?? failure.code ?? exhausted?.code ??
      "ERR_PROGRAM";
    const hint = code === "ERR_SYNTAX"
      ? syntaxHint(failure.message)
      : known?.hint ?? exhausted?.hint ?? failure.hint;
    fail({
      code,
      name: failure.name,
      message: failure.message,
      hint: hint === "" ? suggestFor(failure.message, run.servers) : hint,
      stack: failure.stack,
      ...(failure.line === null || failure.column === null
        ? {}
        : { line: failure.line, column: failure.column }),
    }, leftovers.timers === 0 && leftovers.calls === 0 && !code.startsWith("ERR_SANDBOX_"));
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
  return chars * 3 + REPLY_BATCH_CHARS * 3 + 8_388_608;
}

function fitsBytes(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || utf8Bytes(text) <= bytesMax;
}

function windowChars(limits: Limits): number {
  return limits.toolArgumentBytesMax * 2;
}

function programMessage(run: ProgramRun): ProgramMessage {
  const { limits } = run;
  return {
    code: run.code,
    names: run.names,
    seed: run.seed,
    cpuTimeMs: limits.cpuTimeMs,
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

function refusal(code: ErrorCode, message: string, hint: string, tool: string): CallReply {
  return { ok: false, error: { code, message, hint, tool } };
}

function syntaxHint(message: string): string {
  if (/import.*export/.test(message)) {
    return "Programs are not modules: no import and no export, except `export default`; use tools.<server>.<tool>(args).";
  }
  return "Correct the syntax; nothing has run.";
}
