import type { AuditEvent } from "../model/event.ts";
import type { SearchAnswer } from "../model/search.ts";
import { errorOf } from "./call/call_events.ts";

/** How a search ended. */
export type SearchEnd =
  | { readonly ok: true; readonly answer: Pick<SearchAnswer, "hits" | "total"> }
  | { readonly ok: false; readonly error: Parameters<typeof errorOf>[0] };

/**
 * The record of a search by a model, or by a program with `tools.$search`.
 *
 * @param base principal and query. A program's query is among the payloads instead, because it may
 *   hold text that the program has read.
 */
export function searchEvent(base: Omit<AuditEvent, "kind">, end: SearchEnd): AuditEvent {
  const found = end.ok ? { hits: end.answer.hits.length, total: end.answer.total } : {};
  return {
    ...base,
    kind: "search",
    result: { ...base.result, status: end.ok ? "ok" : end.error.code },
    ...(end.ok ? {} : { err: errorOf(end.error) }),
    detail: { ...base.detail, ...found },
  };
}
