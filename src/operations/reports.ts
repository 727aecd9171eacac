/** Clients' reports about their own work: whether it succeeded, and the model's usage for it. */
import type { AuditLog } from "../audit/audit_log.ts";
import {
  type Feedback,
  feedbackEvent,
  type ModelUsage,
  modelUsageEvent,
} from "../audit/feedback.ts";
import type { McpCaller } from "../mcp/caller.ts";
import type { McpExchange, SuccessReport } from "../mcp/exchange.ts";
import { GateError } from "../model/errors.ts";
import type { AuditRecord } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Policy } from "../policy/policy.ts";
import { actorOf } from "../supervisor/actor.ts";

export interface ReportDeps {
  readonly audit: Pick<AuditLog, "append" | "query">;
  /** Refuses a principal whose budget in the store is used up. */
  readonly admit: (principal: Principal) => Promise<void>;
  readonly policy: { readonly current: () => Pick<Policy, "groups"> };
}

export interface FeedbackReport extends Pick<Feedback, "task" | "execution" | "success"> {
  readonly note?: string;
}

/** The place of a report in the log. */
export interface Recorded {
  readonly chain: string;
  readonly seq: number;
}

/** @throws {GateError} `ERR_NOT_FOUND` for an execution of another principal. */
export async function reportFeedback(
  deps: ReportDeps,
  principal: Principal,
  { note, ...report }: FeedbackReport,
): Promise<Recorded> {
  await admitReport(deps, principal, report.execution);
  const comment = note === undefined ? {} : { comment: note };
  const actor = actorOf(principal, deps.policy.current());
  return placeOf(await deps.audit.append(feedbackEvent({ ...report, ...comment }, actor)));
}

/** @throws {GateError} `ERR_NOT_FOUND` for an execution of another principal. */
export async function reportModelUsage(
  deps: ReportDeps,
  principal: Principal,
  report: Omit<ModelUsage, "trace">,
): Promise<Recorded> {
  await admitReport(deps, principal, report.execution);
  const actor = actorOf(principal, deps.policy.current());
  return placeOf(await deps.audit.append(modelUsageEvent(report, actor)));
}

/**
 * Records a report that an MCP client sends with a request, about the request's task or an
 * execution. Never fails the request.
 */
export async function reportSuccess(
  deps: ReportDeps & { readonly log: Log },
  { principal, space }: McpCaller,
  { success, execution }: SuccessReport,
  { task, traceparent }: Pick<McpExchange, "task" | "traceparent">,
): Promise<void> {
  try {
    await admitReport(deps, principal, execution);
    const about = execution !== undefined ? { execution } : {
      ...(task === null ? {} : { task }),
      ...(traceparent === null ? {} : { trace: traceparent }),
    };
    const actor = actorOf(principal, deps.policy.current());
    await deps.audit.append({ ...feedbackEvent({ ...about, success }, actor), space });
  } catch (error) {
    deps.log("warn", "Cannot record what a client reported", { cause: `${error}` });
  }
}

/** Admits a report if the principal has budget left and ran the execution. */
async function admitReport(
  deps: ReportDeps,
  principal: Principal,
  execution: string | undefined,
): Promise<void> {
  await deps.admit(principal);
  if (execution === undefined) return;
  const { actor } = await firstRecordOf(deps.audit, execution) ?? {};
  if (actor?.sub === principal.sub && actor.iss === principal.issuer) return;
  // A missing execution and one of another principal get the same text.
  throw new GateError("ERR_NOT_FOUND", `You have no execution "${execution.slice(0, 100)}"`, {
    hint: "Report on what you ran yourself: execute answers with its executionId",
  });
}

/** The first record, which names the principal; a call outside a program has no start record. */
async function firstRecordOf(
  audit: ReportDeps["audit"],
  execution: string,
): Promise<AuditRecord | undefined> {
  for (const kind of ["execution.start", "call.outcome"]) {
    const { records: [record] } = await audit.query({ execution, kind, limit: 1 });
    if (record !== undefined) return record;
  }
  return undefined;
}

function placeOf({ chain, seq }: AuditRecord): Recorded {
  return { chain, seq };
}
