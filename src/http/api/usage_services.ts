import type { AuditLog } from "../../audit/audit_log.ts";
import { feedbackEvent, modelUsageEvent } from "../../audit/feedback.ts";
import type { McpCaller } from "../../mcp/caller.ts";
import type { McpExchange, SuccessReport } from "../../mcp/exchange.ts";
import { GateError } from "../../model/errors.ts";
import type { AuditRecord } from "../../model/event.ts";
import type { Log } from "../../model/log.ts";
import type { Principal } from "../../model/principal.ts";
import type { Policy } from "../../policy/policy.ts";
import { actorOf } from "../../supervisor/actor.ts";
import { measureUsage, type Usage } from "../../usage/kpi.ts";
import type { FeedbackBody, ModelUsageBody, UsageQuery } from "./usage_schemas.ts";

/** What was used, what it cost, and what clients report of their own work. */
export interface UsageServices {
  usage(query: Omit<UsageQuery, "format">): Promise<UsageAnswer>;
  /** @throws {GateError} `ERR_NOT_FOUND` for an execution of somebody else. */
  feedback(principal: Principal, report: FeedbackBody): Promise<Recorded>;
  /** What an MCP client reports with a request: of the task that the request belongs to, or an execution. */
  reportSuccess(
    caller: McpCaller,
    report: SuccessReport,
    exchange: Pick<McpExchange, "task" | "traceparent">,
  ): Promise<void>;
  /** @throws {GateError} `ERR_NOT_FOUND` for an execution of somebody else. */
  reportUsage(principal: Principal, report: ModelUsageBody): Promise<Recorded>;
}

export interface UsageAnswer extends Usage {
  readonly by: UsageQuery["by"];
  /** Milliseconds since the epoch, inclusive. */
  readonly since: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until: number;
  /** What the estimate of classic cost is made with. */
  readonly usdPerMillionTokens: number;
}

export interface Recorded {
  readonly chain: string;
  readonly seq: number;
}

export interface UsageServicesDeps {
  readonly audit: Pick<AuditLog, "append" | "query" | "records">;
  /** Refuses who has used up their budget in the store. */
  readonly admit: (principal: Principal) => Promise<void>;
  readonly policy: () => Policy;
  readonly usdPerMillionTokens: number;
  readonly now: () => number;
  readonly log: Log;
}

const PERIOD_DEFAULT_MS = 30 * 86_400_000;

export function createUsageServices(deps: UsageServicesDeps): UsageServices {
  const { audit, usdPerMillionTokens } = deps;

  async function usage(query: Omit<UsageQuery, "format">): Promise<UsageAnswer> {
    const until = query.until ?? deps.now() + 1;
    const since = query.since ?? Math.max(0, until - PERIOD_DEFAULT_MS);
    if (since >= until) {
      throw new GateError(
        "ERR_BAD_REQUEST",
        "Cannot measure usage: the period ends before it begins",
        {
          hint: "since must be earlier than until",
        },
      );
    }
    const period = { by: query.by, since, until, usdPerMillionTokens };
    const measured = await measureUsage(audit.records({ since, until }), period);
    return { ...period, ...measured };
  }

  async function requireOwn(principal: Principal, execution: string | undefined): Promise<void> {
    if (execution === undefined) return;
    const first = await firstRecordOf(audit, execution);
    const { actor } = first ?? {};
    if (actor?.sub === principal.sub && actor.iss === principal.issuer) return;
    // The same words whether it is missing or somebody else's.
    throw new GateError(
      "ERR_NOT_FOUND",
      `You have no execution "${execution.slice(0, 100)}"`,
      { hint: "Report on what you ran yourself: execute answers with its executionId" },
    );
  }

  return {
    usage,
    async feedback(principal, { note, ...report }) {
      await deps.admit(principal);
      await requireOwn(principal, report.execution);
      const comment = note === undefined ? {} : { comment: note };
      const actor = actorOf(principal, deps.policy());
      return placeOf(await audit.append(feedbackEvent({ ...report, ...comment }, actor)));
    },
    async reportSuccess({ principal, space }, { success, execution }, { task, traceparent }) {
      try {
        await deps.admit(principal);
        await requireOwn(principal, execution);
        const about = execution !== undefined ? { execution } : {
          ...(task === null ? {} : { task }),
          ...(traceparent === null ? {} : { trace: traceparent }),
        };
        const actor = actorOf(principal, deps.policy());
        await audit.append({ ...feedbackEvent({ ...about, success }, actor), space });
      } catch (error) {
        deps.log("warn", "Cannot record what a client reported", { cause: `${error}` });
      }
    },
    async reportUsage(principal, report) {
      await deps.admit(principal);
      await requireOwn(principal, report.execution);
      const actor = actorOf(principal, deps.policy());
      return placeOf(await audit.append(modelUsageEvent(report, actor)));
    },
  };
}

/** The record that says who ran it; a call outside a program has no start. */
async function firstRecordOf(
  audit: Pick<AuditLog, "query">,
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
