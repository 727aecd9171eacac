import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditFilter } from "../audit/audit_query.ts";
import { cutGraphemes } from "../model/cut_graphemes.ts";
import type { Effect } from "../model/decision.ts";
import { GateError } from "../model/errors.ts";
import type { AuditRecord } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import { renderReasons, type ShownEffect, verdictOf } from "../model/verdict.ts";
import { createArgumentView } from "../policy/condition/argument_view.ts";
import { compileCondition, type Condition } from "../policy/condition/condition.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

/** One call with its arguments and its result; texts are JSON, cut where they are long. */
export interface CallRow {
  /** `<execution>:<index>` */
  readonly call: string;
  readonly ts: string;
  readonly principal: string;
  readonly client: string;
  readonly space: string;
  /** `server.name` */
  readonly tool: string;
  /** The gate's effect on the call: `allow` means that the call was made. */
  readonly effect: ShownEffect;
  /** The decision of the policy alone; null if the policy was not asked. */
  readonly decision: Effect | "hidden" | null;
  /** Ids of the rules that decided. */
  readonly because: readonly string[];
  /** Why the call was stopped, then the deciding rules, as text. */
  readonly reasons: string;
  readonly status: string;
  /** Null if not kept, or no longer. */
  readonly args: string | null;
  readonly result: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly cost: number;
  readonly ms: number | null;
}

export interface CallAnswer {
  /** Newest first. */
  readonly calls: readonly CallRow[];
  /** Number of calls that were examined. */
  readonly examined: number;
  /** Number of those whose arguments are not kept, so whether they match is unknown. */
  readonly withoutArguments: number;
  /** True if there may be more calls than were examined. */
  readonly more: boolean;
}

/** The filter for calls: every given member must match. */
export interface CallQuestion extends Omit<AuditFilter, "kind" | "after" | "limit"> {
  /** A condition over the arguments, as a policy's `when`: `args.amount > 100`. */
  readonly where?: string;
  /** Bound on the calls in the answer. */
  readonly limit: number;
}

export interface ReadCallsDeps extends RecordAdminDeps {
  readonly audit: Pick<AuditLog, "append" | "query" | "payloads">;
}

const EXAMINED_MAX = 20_000;
const PAGE = 500;
const TEXT_MAX = 4_000;
/** Executions whose intents are cached: calls of one execution are close together in the log. */
const EXECUTIONS_MAX = 64;

/**
 * Calls with their arguments and results, for auditors; the log records each reader.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` for a condition that cannot be read.
 */
export async function readCalls(
  deps: ReadCallsDeps,
  principal: Principal,
  { where, ...question }: CallQuestion,
): Promise<CallAnswer> {
  const condition = where === undefined ? null : compileWhere(where);
  const answer = await searchCalls(deps.audit, question, condition);
  await recordAdmin(deps, principal, "payloads.read", {
    calls: answer.calls.length,
    ...(question.tool === undefined ? {} : { tool: question.tool }),
    ...(where === undefined ? {} : { where }),
  });
  return answer;
}

async function searchCalls(
  audit: ReadCallsDeps["audit"],
  { limit, ...filter }: Omit<CallQuestion, "where">,
  condition: Condition | null,
): Promise<CallAnswer> {
  const intents = createIntents(audit);
  const calls: CallRow[] = [];
  let examined = 0;
  let withoutArguments = 0;
  const answer = (more: boolean) => ({ calls, examined, withoutArguments, more });
  let after: string | undefined;
  do {
    const from = after === undefined ? {} : { after };
    const page = await audit.query({ ...filter, ...from, kind: "call.outcome", limit: PAGE });
    after = page.next;
    for (const [index, record] of page.records.entries()) {
      examined++;
      const kept = await audit.payloads(record);
      const args = kept?.args ?? await intents.argsOf(record);
      if (args === null) withoutArguments++;
      if (condition !== null && !holds(condition, record, args)) continue;
      calls.push(toRow(record, args, kept?.result ?? null));
      if (calls.length < limit) continue;
      return answer(index < page.records.length - 1 || after !== undefined);
    }
  } while (after !== undefined && examined < EXAMINED_MAX);
  return answer(after !== undefined);
}

function compileWhere(text: string): Condition {
  const compiled = compileCondition(text);
  if (compiled.ok) return compiled.condition;
  throw new GateError("ERR_BAD_REQUEST", `Cannot read the condition: ${compiled.message}`, {
    hint: "Write it as a policy's `when`, for example args.amount > 100",
  });
}

/** Whether the arguments match; a missing argument, or one of another type, does not match. */
function holds(condition: Condition, record: AuditRecord, args: string | null): boolean {
  if (args === null) return false;
  const { actor, tool } = record;
  try {
    return condition.holds({
      args: createArgumentView(JSON.parse(args)),
      exec: new Map(),
      user: new Map<string, string | string[]>([
        ["sub", actor?.sub ?? ""],
        ["client", actor?.client ?? ""],
        ["groups", [...actor?.groups ?? []]],
        ["scopes", [...actor?.scopes ?? []]],
      ]),
      tool: new Map([
        ["server", tool?.server ?? ""],
        ["name", tool?.name ?? ""],
        ["access", tool?.access ?? ""],
      ]),
      space: record.space ?? "",
    });
  } catch {
    return false;
  }
}

/** Finds the intents of calls, because the arguments of a made call are kept with its intent. */
function createIntents(audit: ReadCallsDeps["audit"]) {
  const byExecution = new Map<string, Map<string, AuditRecord>>();
  return {
    async argsOf({ execution, call }: AuditRecord): Promise<string | null> {
      if (execution === undefined || call === undefined) return null;
      let intents = byExecution.get(execution);
      if (intents === undefined) {
        intents = await readIntents(audit, execution);
        if (byExecution.size >= EXECUTIONS_MAX) byExecution.clear();
        byExecution.set(execution, intents);
      }
      const intent = intents.get(call);
      return intent === undefined ? null : (await audit.payloads(intent))?.args ?? null;
    },
  };
}

async function readIntents(
  audit: ReadCallsDeps["audit"],
  execution: string,
): Promise<Map<string, AuditRecord>> {
  const { records } = await audit.query({ execution, kind: "call.intent", limit: 10_000 });
  return new Map(records.map((record) => [record.call ?? "", record]));
}

function toRow(record: AuditRecord, args: string | null, result: string | null): CallRow {
  const { actor, tool, decision } = record;
  const verdict = verdictOf(record);
  return {
    call: record.call ?? "",
    ts: record.ts,
    principal: actor?.sub ?? "",
    client: actor?.client ?? "",
    space: record.space ?? "",
    tool: tool === undefined ? "" : `${tool.server}.${tool.name}`,
    effect: verdict?.effect ?? "unknown",
    decision: decision?.effect ?? null,
    because: decision?.because ?? [],
    reasons: renderReasons(verdict?.reasons ?? []),
    status: record.result?.status ?? "unknown",
    args: cut(args),
    result: cut(result),
    error: record.err ?? null,
    cost: record.cost ?? 0,
    ms: record.ms?.total ?? null,
  };
}

function cut(text: string | null): string | null {
  return text !== null && text.length > TEXT_MAX ? `${cutGraphemes(text, TEXT_MAX)}…` : text;
}
