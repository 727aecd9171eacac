import type { ErrorCode } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { utf8Bytes } from "../../rpc/json_depth.ts";
import { createCallAnswers } from "./call_answers.ts";
import { windowChars } from "./program_message.ts";
import { type CallRefusal, internalFailure, refuseCall, refuseResult } from "./refuse_call.ts";
import type { CallReply, SandboxCall } from "./sandbox_call.ts";

export interface CallLaneOptions {
  readonly limits: Limits;
  readonly onCall: (call: SandboxCall) => Promise<CallReply>;
  /** Sends messages to the program; resolves when the pipe has taken them. */
  readonly send: (messages: string) => Promise<void>;
}

/**
 * The calls of one execution: started in order, with a bound on open calls, answered in batches.
 */
export interface CallLane {
  readonly count: number;
  /** @returns the code with which the execution must end; null if the call is under way */
  take(id: number, server: string, tool: string, json: string): ErrorCode | null;
  /** The error that a call failed with, if it did. */
  failureOf(id: number): CallRefusal | undefined;
  /** Starts and answers no more calls, and aborts the running ones. */
  close(): void;
}

export function createCallLane({ limits, onCall, send }: CallLaneOptions): CallLane {
  const abort = new AbortController();
  const answers = createCallAnswers(send);
  const waiting: { call: SandboxCall; chars: number }[] = [];
  let count = 0;
  let active = 0;
  /** Characters of arguments of calls that have no answer yet. */
  let openChars = 0;
  let closed = false;

  function take(id: number, server: string, tool: string, json: string): ErrorCode | null {
    if (id !== count) return "ERR_SANDBOX_PROTOCOL";
    if (count >= limits.toolCallsMax) return "ERR_SANDBOX_CALLS";
    count++;
    openChars += json.length;
    // The realm keeps within the window, so a host that exceeds it is broken.
    if (openChars > windowChars(limits) + limits.toolArgumentBytesMax) {
      return "ERR_SANDBOX_PROTOCOL";
    }
    const argsBytes = utf8Bytes(json);
    const refused = refuseCall({ server, tool, argsBytes, json }, limits);
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

  function startWaiting(): void {
    while (!closed && active < limits.concurrentCallsMax && waiting.length > 0) {
      const { call, chars } = waiting.shift()!;
      active++;
      void answer(call, chars);
    }
  }

  async function answer(call: SandboxCall, chars: number): Promise<void> {
    let result: CallReply;
    try {
      result = await onCall(call);
    } catch {
      result = internalFailure(call);
    }
    if (closed) return;
    if (result.ok) result = refuseResult(call, result.json, limits) ?? result;
    // A call keeps its place until the pipe has taken its answer, so that answers cannot pile up.
    await reply(call.index, chars, result);
    active--;
    startWaiting();
  }

  function reply(id: number, chars: number, result: CallReply): Promise<void> {
    openChars -= chars;
    return answers.send(id, result);
  }

  return {
    get count() {
      return count;
    },
    take,
    failureOf: answers.failureOf,
    close() {
      closed = true;
      answers.close();
      waiting.length = 0;
      if (active > 0) abort.abort();
    },
  };
}
