/**
 * Clients report whether a task succeeded and which model tokens it took. Both reports become
 * `admin` records (`detail.type` is `feedback` or `usage`), joined to a task by task id, trace, or
 * execution.
 */
import { z } from "zod";
import type { AuditActor, AuditEvent } from "../model/event.ts";

const RELATION = {
  /** The task id as sent in `_meta`. */
  task: z.string().min(1).max(200).optional(),
  /** W3C trace id or `traceparent`. */
  trace: z.string().min(1).max(200).optional(),
  execution: z.string().min(1).max(200).optional(),
};

function isRelated(report: { task?: unknown; trace?: unknown; execution?: unknown }): boolean {
  return report.task !== undefined || report.trace !== undefined || report.execution !== undefined;
}

const RELATION_ERROR = { error: "needs one of task, trace and execution" };

/** Whether a task reached its goal, as its client or a person saw it. */
export const FeedbackSchema = z.strictObject({
  ...RELATION,
  success: z.boolean(),
  comment: z.string().max(1_000).optional(),
}).refine(isRelated, RELATION_ERROR);
export type Feedback = z.infer<typeof FeedbackSchema>;

/** Tokens that a model took for a task; toolgate never guesses them. */
export const ModelUsageSchema = z.strictObject({
  ...RELATION,
  model: z.string().min(1).max(200),
  inputTokens: z.int().min(0).max(1e12),
  outputTokens: z.int().min(0).max(1e12),
  /** US dollars, if the client knows the cost; otherwise the configured price applies. */
  usd: z.number().min(0).max(1e9).optional(),
  /** The client's own id of this report. */
  id: z.string().min(1).max(200).optional(),
}).refine(isRelated, RELATION_ERROR);
export type ModelUsage = z.infer<typeof ModelUsageSchema>;

export function feedbackEvent(feedback: Feedback, actor: AuditActor): AuditEvent {
  const { success, comment } = feedback;
  const detail = { type: "feedback", success, ...(comment === undefined ? {} : { comment }) };
  return { kind: "admin", actor, ...relationOf(feedback), detail };
}

export function modelUsageEvent(usage: ModelUsage, actor: AuditActor): AuditEvent {
  const { model, inputTokens, outputTokens, usd, id } = usage;
  const report = id === undefined ? {} : { report: id };
  const detail = { type: "usage", model, inputTokens, outputTokens, ...report };
  return {
    kind: "admin",
    actor,
    ...relationOf(usage),
    ...(usd === undefined ? {} : { cost: usd }),
    detail,
  };
}

function relationOf(report: {
  task?: string | undefined;
  trace?: string | undefined;
  execution?: string | undefined;
}): Pick<AuditEvent, "task" | "trace" | "execution"> {
  const { task, trace, execution } = report;
  return {
    ...(task === undefined ? {} : { task }),
    ...(trace === undefined ? {} : { trace }),
    ...(execution === undefined ? {} : { execution }),
  };
}
