import type { AuditLog } from "../../audit/audit_log.ts";
import type { AuditPayloads } from "../../audit/payloads/payload_box.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { ExecutionContext } from "../execution_context.ts";

/**
 * Appends an outcome to the log without waiting; records keep the order of these appends.
 *
 * The record says when the program got the outcome, so that a replay answers at the same time.
 */
export function recordOutcome(
  deps: { readonly now: () => number; readonly audit: Pick<AuditLog, "append"> },
  context: ExecutionContext,
  event: AuditEvent,
  payloads: AuditPayloads = {},
): void {
  // A program goes on without the record; a caller outside a program waits for it.
  const urgency = context.program === null ? "now" : "soon";
  const recorded = deps.audit.append(withPlace(deps.now(), context, event), payloads, urgency);
  recorded.catch(() => {}); // the end of the execution awaits `context.recorded`
  context.recorded.push(recorded);
}

/** Marks a call outside a program, whose answer a model reads; else adds the program's time. */
function withPlace(now: number, context: ExecutionContext, event: AuditEvent): AuditEvent {
  const ms = Object.fromEntries(
    Object.entries(event.ms ?? {}).map(([name, value]) => [name, roundMs(value)]),
  );
  if (context.program === null) return { ...event, ms, detail: { ...event.detail, classic: true } };
  const at = Math.floor(now - context.program.startedAt);
  if (event.call !== undefined) context.program.heardAtMs.set(event.call, at);
  return { ...event, ms: { ...ms, at } };
}

/** Rounds to hundredths: more digits of the clock are noise that costs bytes in every record. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
