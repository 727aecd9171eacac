import type { Limits } from "../model/limits.ts";
import type { Tool } from "../model/tool.ts";
import type { CallProgress } from "../model/upstream.ts";
import { callTool } from "./call/call_tool.ts";
import { confirm, describePending } from "./call/record_state.ts";
import type { CallOutcome, CallToolDeps } from "./call/tool_call.ts";
import type { Drain } from "./drain.ts";
import type { Origin } from "./event_origin.ts";
import { newContext } from "./execution_context.ts";

export interface CallClassicDeps extends CallToolDeps {
  readonly drain: Pick<Drain, "track">;
  /** Refuses a caller whose budget is used up. */
  readonly admit: (caller: Pick<Origin, "principal" | "space">) => Promise<void>;
  readonly newId: () => string;
  readonly limits: Limits;
  /** How long the answer waits for the audit record of the call. */
  readonly recordPatienceMs: number;
}

/** A call that a client makes directly, outside a program. */
export interface ClassicCall extends Origin {
  readonly tool: Tool;
  readonly args: unknown;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CallProgress) => void;
}

/**
 * Makes one call as its own execution, with the gate, records and limits of a program's calls.
 *
 * @throws {GateError} `ERR_BUSY` while the service closes, `ERR_LIMIT_REACHED`; no tool was called.
 */
export function callClassic(deps: CallClassicDeps, call: ClassicCall): Promise<CallOutcome> {
  return deps.drain.track(async (stopping) => {
    await deps.admit(call);
    const signal = AbortSignal.any([call.signal, stopping]);
    const context = newContext({
      id: deps.newId(),
      request: { ...call, signal },
      limits: deps.limits,
      span: null,
      startedAt: null,
    });
    const outcome = await callTool(deps, context, {
      // Identifiers are unique; a tool and a prompt may share their original name.
      server: call.tool.serverIdentifier,
      tool: call.tool.identifier,
      index: 0,
      args: call.args,
      signal,
      ...(call.onProgress === undefined ? {} : { onProgress: call.onProgress }),
    });
    const unconfirmed = await confirm(context.recorded, deps.recordPatienceMs);
    if (unconfirmed === null || !outcome.sent) return outcome;
    return { ...outcome, recordPending: describePending(unconfirmed) };
  });
}
