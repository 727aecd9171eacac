import { bulkhead } from "cockatiel";
import { unsentArguments } from "../../audit/payloads/payload_box.ts";
import type { CallSummary } from "../../model/execution.ts";
import { principalKey } from "../../model/principal.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import type { SandboxPool } from "../../sandbox/pool/sandbox_pool.ts";
import type { SandboxProgram } from "../../sandbox/pool/waiting_program.ts";
import type { CallReply, SandboxCall } from "../../sandbox/run/sandbox_call.ts";
import type { SandboxOutcome } from "../../sandbox/run/outcome.ts";
import { callEvent } from "../call/call_events.ts";
import { callTool } from "../call/call_tool.ts";
import { recordOutcome } from "../call/record_outcome.ts";
import { CALLS_PATIENCE_MS, summaryOf } from "../call/record_state.ts";
import type { CallOutcome, CallToolDeps } from "../call/tool_call.ts";
import type { ExecutionContext } from "../execution_context.ts";
import { searchEvent } from "../search_event.ts";
import type { ProgramDiscovery } from "./program_discovery.ts";

export interface ProgramRunDeps extends CallToolDeps {
  readonly sandbox: Pick<SandboxPool, "run">;
  readonly discovery: ProgramDiscovery;
}

/** Clock and randomness of one program. */
export type Seed = NonNullable<SandboxProgram["seed"]>;

/** The totals of a program's ended calls. */
export interface Tally {
  readonly calls: CallSummary[];
  /** Ended calls that the upstream may have received. */
  sent: number;
  bytesIn: number;
  tokensIn: number;
  readonly hear: (call: CallOutcome) => void;
}

export function createTally(
  deps: Pick<CallToolDeps, "countTokens">,
  onCall: ((call: CallSummary) => void) | undefined,
): Tally {
  const tally: Tally = {
    calls: [],
    sent: 0,
    bytesIn: 0,
    tokensIn: 0,
    hear(call) {
      const summary = summaryOf(call);
      tally.calls.push(summary);
      if (call.sent) tally.sent++;
      tally.bytesIn += call.bytes;
      if (call.ok) tally.tokensIn += deps.countTokens(call.json);
      onCall?.(summary);
    },
  };
  return tally;
}

/** Runs a program whose calls pass the gate; then waits for its open calls for a bounded time. */
export async function runProgram(
  deps: ProgramRunDeps,
  context: ExecutionContext,
  program: { readonly code: string; readonly seed: Seed; readonly refusal: AbortSignal },
  onOutcome: (outcome: CallOutcome) => void,
): Promise<SandboxOutcome> {
  const gate = bulkhead(context.limits.concurrentCallsMax, context.limits.toolCallsMax);
  const running = new Set<Promise<CallReply>>();
  const onCall = (call: SandboxCall): Promise<CallReply> =>
    gate.execute(async () => {
      const work = call.server === ""
        ? discover(deps, context, call)
        : answer(deps, context, call, onOutcome);
      running.add(work);
      try {
        const reply = await work;
        const atMs = context.program?.heardAtMs.get(`${context.id}:${call.index}`);
        return atMs === undefined ? reply : { ...reply, atMs };
      } finally {
        running.delete(work);
      }
    });
  try {
    return await deps.sandbox.run(
      {
        principalKey: principalKey(context.principal),
        session: context.task,
        code: program.code,
        limits: context.limits,
        names: deps.discovery.names(context.principal, context.space, program.code),
        seed: program.seed,
      },
      onCall,
      AbortSignal.any([context.signal, program.refusal]),
    );
  } finally {
    // Calls under way were told to stop; the answer should include their outcomes.
    if (running.size > 0) await withinMs(Promise.allSettled(running), CALLS_PATIENCE_MS);
  }
}

async function answer(
  deps: ProgramRunDeps,
  context: ExecutionContext,
  call: SandboxCall,
  onOutcome: (outcome: CallOutcome) => void,
): Promise<CallReply> {
  const outcome = await callTool(deps, context, call);
  onOutcome(outcome);
  return outcome.ok
    ? { ok: true, json: outcome.json }
    : { ok: false, error: { ...outcome.error, tool: outcome.tool } };
}

/** Answers `tools.$search` and `tools.$describe`. */
async function discover(
  deps: ProgramRunDeps,
  context: ExecutionContext,
  call: SandboxCall,
): Promise<CallReply> {
  const { reply, end } = await deps.discovery.answer(context, call);
  const base = {
    ...callEvent(context, call.index, deps.policy()),
    detail: { tool: call.tool.slice(0, 100) },
  };
  recordOutcome(deps, context, searchEvent(base, end), {
    ...unsentArguments(JSON.stringify(call.args ?? null)),
    ...(reply.ok ? { result: reply.json } : {}),
  });
  return reply;
}
