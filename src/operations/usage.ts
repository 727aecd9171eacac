import type { AuditLog } from "../audit/audit_log.ts";
import { GateError } from "../model/errors.ts";
import { measureUsage, type Usage } from "../usage/kpi.ts";
import type { UsageBy } from "../usage/usage_row.ts";

export interface CountUsageDeps {
  readonly audit: Pick<AuditLog, "records">;
  readonly usdPerMillionTokens: number;
  readonly now: () => number;
}

export interface UsageQuestion {
  readonly by: UsageBy;
  /** Milliseconds since the epoch, inclusive; default 30 days before `until`. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive; default now. */
  readonly until?: number;
}

export interface UsageAnswer extends Usage, Required<UsageQuestion> {
  /** Token price for the estimate of classic cost. */
  readonly usdPerMillionTokens: number;
}

const PERIOD_DEFAULT_MS = 30 * 86_400_000;

/**
 * Counts usage and cost of a period, grouped by `question.by`. Reads every record of the period.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` if `since` is not before `until`.
 */
export async function countUsage(
  deps: CountUsageDeps,
  question: UsageQuestion,
): Promise<UsageAnswer> {
  const until = question.until ?? deps.now() + 1;
  const since = question.since ?? Math.max(0, until - PERIOD_DEFAULT_MS);
  if (since >= until) {
    throw new GateError(
      "ERR_BAD_REQUEST",
      "Cannot measure usage: the period ends before it begins",
      { hint: "since must be earlier than until" },
    );
  }
  const { usdPerMillionTokens } = deps;
  const period = { by: question.by, since, until, usdPerMillionTokens };
  return { ...period, ...await measureUsage(deps.audit.records({ since, until }), period) };
}
