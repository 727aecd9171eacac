import type { ErrorCode } from "../../model/errors.ts";
import { findInexactInteger } from "../../model/json/json_numbers.ts";
import type { Limits } from "../../model/limits.ts";
import { CALL_VALUES_MAX, hasMoreValues, isDeeperThan, utf8Bytes } from "../../rpc/json_depth.ts";
import { NESTING_MAX } from "./program_message.ts";
import type { CallReply, SandboxCall } from "./sandbox_call.ts";

export type CallRefusal = CallReply & { readonly ok: false };

/** A call whose arguments are not parsed yet. */
export interface UnreadCall extends Pick<SandboxCall, "server" | "tool" | "argsBytes"> {
  /** The arguments as JSON. */
  readonly json: string;
}

const NAME_CHARS_MAX = 300;

/** @returns the answer to a call that is too large, too deep or inexact; null if it may be made */
export function refuseCall(call: UnreadCall, limits: Limits): CallRefusal | null {
  const { server, tool, argsBytes, json } = call;
  const title = titleOf(call);
  if (server.length > NAME_CHARS_MAX || tool.length > NAME_CHARS_MAX) {
    return refusal("ERR_TOOL_NOT_FOUND", "No tool has such a long name", "", title);
  }
  if (argsBytes > limits.toolArgumentBytesMax) {
    return refusal(
      "ERR_SANDBOX_MESSAGE_SIZE",
      `Cannot call ${title}: the arguments have ${argsBytes} bytes, the limit is ${limits.toolArgumentBytesMax}`,
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

/**
 * @returns the answer to a call whose result is too large; null if the program may have the result
 */
export function refuseResult(
  call: Pick<SandboxCall, "server" | "tool">,
  json: string,
  limits: Limits,
): CallRefusal | null {
  if (fitsBytes(json, limits.toolResultBytesMax)) return null;
  const title = titleOf(call);
  return refusal(
    "ERR_UPSTREAM_RESULT",
    `The result of ${title} is longer than ${limits.toolResultBytesMax} bytes`,
    "Ask for less: a page, a filter, fewer fields.",
    title,
  );
}

/** The answer to a call that failed unexpectedly. */
export function internalFailure(call: Pick<SandboxCall, "server" | "tool">): CallRefusal {
  const title = titleOf(call);
  return refusal(
    "ERR_INTERNAL",
    `Cannot call ${title}: internal error`,
    "The operator finds the cause in the service log.",
    title,
  );
}

function titleOf({ server, tool }: Pick<SandboxCall, "server" | "tool">): string {
  return (server === "" ? tool : `${server}.${tool}`).slice(0, NAME_CHARS_MAX);
}

function fitsBytes(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || utf8Bytes(text) <= bytesMax;
}

function refusal(code: ErrorCode, message: string, hint: string, tool: string): CallRefusal {
  return { ok: false, error: { code, message, hint, tool } };
}
