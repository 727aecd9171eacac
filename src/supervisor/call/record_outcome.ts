import type { AuditLog } from "../../audit/audit_log.ts";
import type { AuditPayloads } from "../../audit/payloads/payload_box.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { ExecutionContext } from "../execution_context.ts";

/**
 * Puts an outcome on its way into the log; the order of records is that of these calls.
 *
 * The record says when the program heard of it: a replay gives the same answers at the same times.
 */
export function recordOutcome(
  deps: { readonly now: () => number; readonly audit: Pick<AuditLog, "append"> },
  context: ExecutionContext,
  event: AuditEvent,
  payloads: AuditPayloads = {},
): void {
  // A program goes on without it; outside one the caller waits for it.
  const urgency = context.program === null ? "now" : "soon";
  const recorded = deps.audit.append(withPlace(deps.now(), context, event), payloads, urgency);
  recorded.catch(() => {}); // whoever answers for the execution awaits it and fails with it
  context.recorded.push(recorded);
}

/** A call outside a program is marked: a model reads what it answers. */
function withPlace(now: number, context: ExecutionContext, event: AuditEvent): AuditEvent {
  const ms = Object.fromEntries(
    Object.entries(event.ms ?? {}).map(([name, value]) => [name, roundMs(value)]),
  );
  if (context.program === null) return { ...event, ms, detail: { ...event.detail, classic: true } };
  const at = Math.floor(now - context.program.startedAt);
  if (event.call !== undefined) context.program.heardAtMs.set(event.call, at);
  return { ...event, ms: { ...ms, at } };
}

/** The clock's own digits are noise, and bytes in every record. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
