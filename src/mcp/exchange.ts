import type { ServerContext } from "@modelcontextprotocol/server";
import { GateError } from "../model/errors.ts";
import type { CallSummary } from "../model/execution.ts";
import type { CallProgress } from "../model/upstream.ts";
import type { McpCaller } from "./caller.ts";

/** The context of one MCP request beside its arguments. */
export interface McpExchange {
  /** Client's task id from `_meta`, else its session; null if it has neither. */
  readonly task: string | null;
  /** W3C `traceparent` from `_meta`. */
  readonly traceparent: string | null;
  /** The client's report on its work so far. */
  readonly success?: SuccessReport;
  readonly signal: AbortSignal;
  /** Receives each finished call of a program, if the client asked for progress. */
  readonly onCall?: (call: CallSummary) => void;
  /** Receives the progress of a single call, if the client asked for it. */
  readonly onProgress?: (progress: CallProgress) => void;
}

/**
 * `_meta["toolgate/success"]`: true or false for the task so far, or an object about one execution.
 */
export interface SuccessReport {
  readonly success: boolean;
  readonly execution?: string;
}

/** The caller that the HTTP edge attached to this request. */
export function callerOf(context: ServerContext): McpCaller {
  const caller = context.http?.authInfo?.extra?.caller;
  if (caller === undefined) throw new Error("An MCP request arrived without a caller");
  return caller as McpCaller;
}

/** @throws {GateError} `ERR_FORBIDDEN` */
export function requireScope(caller: McpCaller, scope: string): void {
  if (caller.principal.scopes.includes(scope)) return;
  throw new GateError("ERR_FORBIDDEN", `Cannot ${scope}: the credential lacks scope "${scope}"`, {
    hint: `Use a credential with scope "${scope}"`,
  });
}

export function exchangeOf(context: ServerContext): McpExchange {
  const meta: { readonly [key: string]: unknown } = context.mcpReq._meta ?? {};
  const related = meta["io.modelcontextprotocol/related-task"];
  const taskId = typeof related === "object" && related !== null && "taskId" in related
    ? related.taskId
    : meta["toolgate/task"];
  const traceparent = meta["traceparent"];
  return {
    task: typeof taskId === "string"
      ? taskId.slice(0, 200)
      : context.sessionId === undefined
      ? null
      : `session:${context.sessionId.slice(0, 40)}`,
    traceparent: typeof traceparent === "string" && isTraceparent(traceparent) ? traceparent : null,
    ...successOf(meta["toolgate/success"]),
    signal: context.mcpReq.signal,
    ...progressOf(context),
  };
}

/** The client's report; empty if it has another form. */
function successOf(report: unknown): Pick<McpExchange, "success"> {
  if (typeof report === "boolean") return { success: { success: report } };
  if (typeof report !== "object" || report === null) return {};
  const { success, execution } = report as { readonly [name: string]: unknown };
  if (typeof success !== "boolean" || typeof execution !== "string") return {};
  return execution === "" || execution.length > 200 ? {} : { success: { success, execution } };
}

function progressOf(context: ServerContext): Pick<McpExchange, "onCall" | "onProgress"> {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return {};
  const notify = (progress: CallProgress) => {
    const params = { progressToken, ...progress };
    // The signal, not this error, tells that the client has gone away.
    context.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
  let finished = 0;
  return {
    onCall: ({ tool, status }) => notify({ progress: ++finished, message: `${tool} ${status}` }),
    onProgress: notify,
  };
}

/** @see W3C Trace Context, section 3.2 */
function isTraceparent(text: string): boolean {
  return /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);
}
