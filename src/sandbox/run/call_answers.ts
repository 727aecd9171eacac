import { createGatheredWriter } from "../../rpc/gathered_writer.ts";
import { encodeMessage, KIND, type ReplyError } from "../../rpc/protocol.ts";
import type { CallRefusal } from "./refuse_call.ts";
import type { CallReply } from "./sandbox_call.ts";

/** The answers to the calls of one execution, sent in batches. */
export interface CallAnswers {
  /** Resolves when the pipe has taken the answer. Await it, so that answers do not pile up. */
  send(id: number, reply: CallReply): Promise<void>;
  /** The error that was sent for a call, if any. */
  failureOf(id: number): CallRefusal | undefined;
  /** Sends nothing more. */
  close(): void;
}

const BATCH_CHARS_MAX = 262_144;

/** @param write sends messages to the program; resolves when the pipe has taken them */
export function createCallAnswers(write: (messages: string) => Promise<void>): CallAnswers {
  const failures = new Map<number, CallRefusal>();
  let closed = false;
  const writer = createGatheredWriter(async (messages) => {
    if (!closed) await write(messages);
  }, BATCH_CHARS_MAX);

  return {
    async send(id, reply) {
      if (!reply.ok) failures.set(id, reply);
      const written = writer.push(encodeReply(id, reply));
      if (writer.waitingChars() > BATCH_CHARS_MAX) await written;
    },
    failureOf: (id) => failures.get(id),
    close() {
      closed = true;
    },
  };
}

function encodeReply(id: number, reply: CallReply): string {
  const at = reply.atMs === undefined ? "" : String(Math.floor(reply.atMs));
  if (reply.ok) return encodeMessage(KIND.replyOk, id, [reply.json, at]);
  const error: ReplyError = reply.error;
  return encodeMessage(KIND.replyError, id, [JSON.stringify(error), at]);
}
