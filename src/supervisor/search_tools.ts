import type { AuditLog } from "../audit/audit_log.ts";
import { reportError } from "../model/errors.ts";
import type { AuditEvent } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import type { SearchAnswer, SearchRequest } from "../model/search.ts";
import type { Policy } from "../policy/policy.ts";
import type { SearchIndex } from "../search/search_index.ts";
import type { CatalogView } from "./catalog_view.ts";
import { eventOrigin, type Origin } from "./event_origin.ts";
import { searchEvent } from "./search_event.ts";

export interface FindToolsDeps {
  /** Resolves when there is a catalog to search. */
  readonly ready: () => Promise<unknown>;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly index: Pick<SearchIndex, "search">;
}

/** Finds tools that a principal may use in a space. Does not record the search. */
export async function findTools(
  { ready, view, index }: FindToolsDeps,
  { principal, space }: Pick<Origin, "principal" | "space">,
  request: SearchRequest,
): Promise<SearchAnswer> {
  await ready();
  const { visible } = view(principal, space);
  return await index.search(request, visible, {
    showsQuarantined: principal.scopes.includes("admin"),
  });
}

export interface SearchToolsDeps extends FindToolsDeps {
  /** Refuses a caller whose budget is used up. */
  readonly admit: (caller: Pick<Origin, "principal" | "space">) => Promise<void>;
  readonly audit: Pick<AuditLog, "append">;
  readonly policy: () => Policy;
  readonly countTokens: (text: string) => number;
}

const QUERY_CHARACTERS_MAX = 200;

/**
 * Answers a model's search, after the search is recorded.
 *
 * @throws {GateError} `ERR_LIMIT_REACHED`, `ERR_AUDIT_UNAVAILABLE`
 */
export async function searchTools(
  deps: SearchToolsDeps,
  origin: Origin,
  request: SearchRequest,
): Promise<SearchAnswer> {
  await deps.admit(origin);
  const base = {
    ...eventOrigin(origin, deps.policy()),
    detail: { query: request.query.slice(0, QUERY_CHARACTERS_MAX) },
  };
  let answer: SearchAnswer;
  try {
    answer = await findTools(deps, origin, request);
  } catch (error) {
    await deps.audit.append(searchEvent(base, { ok: false, error: reportError(error) }));
    throw error;
  }
  await deps.audit.append(searchEvent(withCost(deps, base, answer), { ok: true, answer }));
  return answer;
}

/** Adds the size of the declarations that the model has to read. */
function withCost(
  { countTokens }: Pick<SearchToolsDeps, "countTokens">,
  base: Omit<AuditEvent, "kind">,
  { declarations }: SearchAnswer,
): Omit<AuditEvent, "kind"> {
  return {
    ...base,
    result: { status: "ok", bytes: declarations.length },
    detail: { ...base.detail, tokensReturned: countTokens(declarations) },
  };
}
