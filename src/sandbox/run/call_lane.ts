import type { ErrorCode } from "../../model/errors.ts";
import { findInexactInteger } from "../../model/json/json_numbers.ts";
import type { Limits } from "../../model/limits.ts";
import { createGatheredWriter } from "../../rpc/gathered_writer.ts";
import { CALL_VALUES_MAX, hasMoreValues, isDeeperThan, utf8Bytes } from "../../rpc/json_depth.ts";
import { encodeMessage, KIND, type ReplyError } from "../../rpc/protocol.ts";

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
  | { readonly ok: true; readonly json: string; readonly atMs?: number }
  | {
    readonly ok: false;
    /** Milliseconds since the start of the execution: what a seeded clock is put forward to. */
    readonly atMs?: number;
    readonly error: {
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      readonly tool: string;
    };
  };

export interface CallLaneOptions {
  readonly limits: Limits;
  readonly onCall: (call: SandboxCall) => Promise<CallReply>;
  /** Sends messages to the program; resolves when the pipe has taken them. */
  readonly send: (messages: string) => Promise<void>;
}

/** The calls of one execution: in order, so many at a time, answered in batches. */
export interface CallLane {
  readonly count: number;
  /** @returns the code with which the execution must end; null if the call is under way */
  take(id: number, server: string, tool: string, json: string): ErrorCode | null;
  /** The error that a call failed with, if it did. */
  failureOf(id: number): CallReply & { ok: false } | undefined;
  /** Starts nothing more, answers nothing more, and aborts what runs. */
  close(): void;
}

/** Levels of arrays and objects that arguments and results may have. */
export const NESTING_MAX = 200;
const NAME_CHARS_MAX = 300;
const BATCH_CHARS_MAX = 262_144;

/** UTF-16 units of arguments that may be under way at once. */
export function windowChars(limits: Limits): number {
  return limits.toolArgumentBytesMax * 2;
}

export function createCallLane(options: CallLaneOptions): CallLane {
  const { limits } = options;
  const abort = new AbortController();
  const waiting: { call: SandboxCall; chars: number }[] = [];
  const failures = new Map<number, CallReply & { ok: false }>();
  let count = 0;
  let active = 0;
  let openChars = 0;
  let closed = false;
  const answers = createGatheredWriter(
    async (messages) => {
      if (!closed) await options.send(messages);
    },
    BATCH_CHARS_MAX,
  );

  function take(id: number, server: string, tool: string, json: string): ErrorCode | null {
    if (id !== count) return "ERR_SANDBOX_PROTOCOL";
    if (count >= limits.toolCallsMax) return "ERR_SANDBOX_CALLS";
    count++;
    openChars += json.length;
    // The realm keeps the window; a host that does not is broken.
    if (openChars > windowChars(limits) + limits.toolArgumentBytesMax) {
      return "ERR_SANDBOX_PROTOCOL";
    }
    const argsBytes = utf8Bytes(json);
    const refused = refusalOf(server, tool, json, argsBytes);
    if (refused !== null) {
      void reply(id, json.length, refused);
      return null;
    }
    let args: unknown;
    try {
      args = JSON.parse(json);
    } catch {
      return "ERR_SANDBOX_PROTOCOL";
    }
    const call = { index: id, server, tool, args, argsBytes, signal: abort.signal };
    waiting.push({ call, chars: json.length });
    startWaiting();
    return null;
  }

  function refusalOf(server: string, tool: string, json: string, bytes: number): CallReply | null {
    const title = titleOf(server, tool);
    if (server.length > NAME_CHARS_MAX || tool.length > NAME_CHARS_MAX) {
      return refusal("ERR_TOOL_NOT_FOUND", "No tool has such a long name", "", title);
    }
    if (bytes > limits.toolArgumentBytesMax) {
      return refusal(
        "ERR_SANDBOX_MESSAGE_SIZE",
        `Cannot call ${title}: the arguments have ${bytes} bytes, the limit is ${limits.toolArgumentBytesMax}`,
        "Send less at once, for example in several calls.",
        title,
      );
    }
    if (isDeeperThan(json, NESTING_MAX)) {
      return refusal(
        "ERR_SANDBOX_NESTING",
        `Cannot call ${title}: the arguments are nested deeper than ${NESTING_MAX} levels`,
        "Send flatter arguments.",
        title,
      );
    }
    if (hasMoreValues(json, CALL_VALUES_MAX)) {
      return refusal(
        "ERR_INVALID_ARGUMENTS",
        `Cannot call ${title}: the arguments have more than ${CALL_VALUES_MAX} values`,
        "Send less at once, or in several calls.",
        title,
      );
    }
    const inexact = findInexactInteger(json, "args");
    if (inexact === null) return null;
    return refusal(
      "ERR_INVALID_ARGUMENTS",
      `Cannot call ${title}: ${inexact.place} is ${inexact.text}, which no number can hold exactly`,
      "Send it as a text if the tool takes one.",
      title,
    );
  }

  function startWaiting(): void {
    while (!closed && active < limits.concurrentCallsMax && waiting.length > 0) {
      const { call, chars } = waiting.shift()!;
      active++;
      void answer(call, chars);
    }
  }

  async function answer(call: SandboxCall, chars: number): Promise<void> {
    const title = titleOf(call.server, call.tool);
    let result: CallReply;
    try {
      result = await options.onCall(call);
    } catch {
      result = refusal(
        "ERR_INTERNAL",
        `Cannot call ${title}: internal error`,
        "The operator finds the cause in the service log.",
        title,
      );
    }
    if (closed) return;
    if (result.ok && !fitsBytes(result.json, limits.toolResultBytesMax)) {
      result = refusal(
        "ERR_UPSTREAM_RESULT",
        `The result of ${title} is longer than ${limits.toolResultBytesMax} bytes`,
        "Ask for less: a page, a filter, fewer fields.",
        title,
      );
    }
    // The place of a call is free when its answer is on its way, so that answers cannot pile up.
    await reply(call.index, chars, result);
    active--;
    startWaiting();
  }

  async function reply(id: number, chars: number, result: CallReply): Promise<void> {
    openChars -= chars;
    const at = result.atMs === undefined ? "" : String(Math.floor(result.atMs));
    let message: string;
    if (result.ok) message = encodeMessage(KIND.replyOk, id, [result.json, at]);
    else {
      failures.set(id, result);
      const error: ReplyError = result.error;
      message = encodeMessage(KIND.replyError, id, [JSON.stringify(error), at]);
    }
    const written = answers.push(message);
    if (answers.waitingChars() > BATCH_CHARS_MAX) await written;
  }

  return {
    get count() {
      return count;
    },
    take,
    failureOf: (id) => failures.get(id),
    close() {
      closed = true;
      waiting.length = 0;
      if (active > 0) abort.abort();
    },
  };
}

function titleOf(server: string, tool: string): string {
  return (server === "" ? tool : `${server}.${tool}`).slice(0, NAME_CHARS_MAX);
}

function fitsBytes(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || utf8Bytes(text) <= bytesMax;
}

function refusal(
  code: ErrorCode,
  message: string,
  hint: string,
  tool: string,
): CallReply & { ok: false } {
  return { ok: false, error: { code, message, hint, tool } };
}
