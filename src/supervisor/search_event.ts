import type { AuditEvent } from "../model/event.ts";
import type { SearchAnswer } from "../model/search.ts";
import { errorOf } from "./call/call_events.ts";

/** How a search ended. */
export type SearchEnd =
  | { readonly ok: true; readonly answer: Pick<SearchAnswer, "hits" | "total"> }
  | { readonly ok: false; readonly error: Parameters<typeof errorOf>[0] };

/**
 * The record of a search, whoever searched: a model, or a program by `tools.$search`.
 *
 * @param base who searched and for what. The query of a program is not in it but among the payloads: it
 *   may hold what the program has read.
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
