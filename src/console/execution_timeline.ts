import type { CutText } from "../audit/payloads/payload_box.ts";
import type { AuditActor, AuditRecord } from "../model/event.ts";
import { recordKey } from "../model/record_key.ts";
import type { Access } from "../model/tool.ts";
import { type Reason, type ShownEffect, verdictOf } from "../model/verdict.ts";
import type { ExecutionView } from "../operations/show_execution.ts";

/** One execution, ready to draw. Times are milliseconds; offsets count from its start. */
export interface ExecutionTimeline {
  readonly id: string;
  readonly status: string;
  readonly actor: AuditActor | null;
  readonly space: string;
  readonly task: string | null;
  readonly trace: string | null;
  readonly startedAtMs: number;
  readonly totalMs: number;
  readonly isRunning: boolean;
  readonly code: { readonly sha256: string; readonly bytes: number } | null;
  /** Null: not kept, expired, or not for this reader. */
  readonly codeText: string | null;
  readonly resultText: string | null;
  readonly resultBytes: number | null;
  /** A result that was too large to return; null if it was not, or if that is unknown. */
  readonly oversize: { readonly bytes: number; readonly isKept: boolean } | null;
  readonly logs: readonly { readonly level: string; readonly text: string }[] | null;
  readonly error: AuditRecord["err"] | null;
  /** 1-based place of the error in the program. */
  readonly errorLine: number | null;
  readonly cost: number;
  readonly tokensKeptOut: number | null;
  readonly tokensReturned: number | null;
  readonly cpuMs: number | null;
  readonly dryRun: boolean;
  /** In the order in which they began. */
  readonly calls: readonly TimelineCall[];
  readonly truncated: boolean;
}

export interface TimelineCall {
  /** `<execution>:<index>` */
  readonly id: string;
  readonly index: number;
  readonly server: string;
  readonly name: string;
  readonly access: Access | undefined;
  /** The outcome of the call; `running`: no outcome yet. */
  readonly effect: ShownEffect | "running";
  /** The decisive reason first. */
  readonly reasons: readonly Reason[];
  readonly observed: string | null;
  /** `ok`, `planned`, an error's code, or null while there is no outcome. */
  readonly status: string | null;
  readonly error: AuditRecord["err"] | null;
  readonly offsetMs: number;
  readonly ms: number | null;
  readonly policyMs: number | null;
  readonly upstreamMs: number | null;
  readonly waitHumanMs: number | null;
  readonly cost: number;
  readonly credential: string | null;
  readonly argsBytes: number | null;
  readonly resultBytes: number | null;
  readonly argsText: string | null;
  /** Beginning of arguments too large to keep, of a refused call; then `argsText` is null. */
  readonly cutArgs: CutText | null;
  readonly resultText: string | null;
  /** Its payloads may exist, but were not opened yet. */
  readonly isUnopened: boolean;
  readonly approval: string | null;
  readonly limit: string | null;
  readonly redactions: number;
}

/** @returns null without records. */
export function buildTimeline(id: string, view: ExecutionView): ExecutionTimeline | null {
  const { records, payloads } = view;
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return null;
  const start = records.find((record) => record.kind === "execution.start") ?? first;
  const end = records.findLast((record) => record.kind === "execution.end") ?? null;
  const startedAtMs = Date.parse(start.ts);
  const payloadsOf = (record: AuditRecord | null) =>
    record === null ? undefined : payloads?.get(recordKey(record));
  const byCall = Map.groupBy(
    records.filter((record) => record.call !== undefined),
    (record) => record.call as string,
  );
  const isRunning = end === null;
  const calls = [...byCall]
    .map(([call, of]) => buildCall({ id: call, records: of, startedAtMs, isRunning }, view))
    .toSorted((a, b) => a.offsetMs - b.offsetMs || a.index - b.index);
  return {
    id,
    status: end?.result?.status ?? (end === null ? "running" : "error"),
    actor: start.actor ?? null,
    space: start.space ?? "",
    task: start.task ?? null,
    trace: start.trace ?? null,
    startedAtMs,
    totalMs: end?.ms?.total ?? Math.max(0, Date.parse(last.ts) - startedAtMs),
    isRunning,
    code: start.code ?? end?.code ?? null,
    codeText: programText(payloadsOf(start)?.code),
    resultText: payloadsOf(end)?.result ?? null,
    resultBytes: end?.result?.bytes ?? null,
    oversize: oversizeOf(end),
    logs: parseLogs(payloadsOf(end)?.logs),
    error: end?.err ?? null,
    errorLine: numberOf(end?.detail?.line),
    cost: records.reduce((sum, record) => sum + (record.cost ?? 0), 0),
    tokensKeptOut: end?.result?.tokensKeptOut ?? null,
    tokensReturned: numberOf(end?.detail?.tokensReturned),
    cpuMs: numberOf(end?.detail?.cpuMs),
    dryRun: end?.detail?.dryRun === true,
    calls,
    truncated: view.truncated,
  };
}

function oversizeOf(end: AuditRecord | null): ExecutionTimeline["oversize"] {
  const bytes = numberOf(end?.detail?.oversizeBytes);
  return bytes === null ? null : { bytes, isKept: end?.detail?.kept === true };
}

/** The records of one call, with facts of its execution. */
interface CallRecords {
  readonly id: string;
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
  /** When the execution began, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** True until the execution has ended. */
  readonly isRunning: boolean;
}

function buildCall(
  { id, records, startedAtMs, isRunning }: CallRecords,
  { payloads, unopened }: ExecutionView,
): TimelineCall {
  const intent = records.find((record) => record.kind === "call.intent") ?? null;
  // The gate itself answers a search of the program: one record is both begin and outcome.
  const outcome = records.findLast(({ kind }) => kind === "call.outcome" || kind === "search") ??
    null;
  const limit = records.find((record) => record.kind === "limit.hit") ?? null;
  const main = outcome ?? intent ?? records[0] as AuditRecord;
  const texts = (record: AuditRecord | null) =>
    record === null ? undefined : payloads?.get(recordKey(record));
  const ms = outcome?.ms?.total ?? null;
  const args = intent?.args ?? outcome?.args;
  return {
    id,
    index: Number(id.slice(id.lastIndexOf(":") + 1)) || 0,
    server: main.tool?.server ?? "",
    name: main.tool?.name ?? String(main.detail?.tool ?? ""),
    access: main.tool?.access,
    ...shownOf({ intent, outcome, limit }, isRunning),
    observed: (main.decision ?? intent?.decision)?.observed ?? null,
    status: outcome === null ? null : outcome.err?.code ?? outcome.result?.status ?? null,
    error: outcome?.err ?? null,
    offsetMs: Math.max(0, offsetOf(intent ?? main, outcome, startedAtMs)),
    ms,
    policyMs: outcome?.ms?.policy ?? intent?.ms?.policy ?? null,
    upstreamMs: outcome?.ms?.upstream ?? null,
    waitHumanMs: outcome?.ms?.waitHuman ?? null,
    cost: records.reduce((sum, record) => sum + (record.cost ?? 0), 0),
    credential: outcome?.upstream?.credential ?? null,
    argsBytes: args?.bytes ?? null,
    resultBytes: outcome?.result?.bytes ?? null,
    argsText: texts(intent)?.args ?? texts(outcome)?.args ?? null,
    cutArgs: texts(outcome)?.cutArgs ?? null,
    resultText: texts(outcome)?.result ?? null,
    isUnopened: unopened.has(id),
    approval: main.approval ?? null,
    limit: limit === null ? null : String(limit.detail?.limit ?? "limit"),
    redactions: numberOf(outcome?.detail?.redactions) ?? 0,
  };
}

/** The outcome of a call; `unknown` if the execution ended and no outcome was recorded. */
function shownOf(
  { intent, outcome, limit }: {
    readonly [name in "intent" | "outcome" | "limit"]: AuditRecord | null;
  },
  isRunning: boolean,
): Pick<TimelineCall, "effect" | "reasons"> {
  if (outcome?.kind === "search") return { effect: "allow", reasons: [] };
  if (outcome !== null) {
    const decision = outcome.decision ?? intent?.decision;
    // Outcomes of earlier versions do not name the limit.
    const detail = { ...limit?.detail, ...outcome.detail };
    const verdict = verdictOf({
      ...outcome,
      detail,
      ...(decision === undefined ? {} : { decision }),
    });
    if (verdict !== null) return verdict;
  }
  const verdict = limit === null ? null : verdictOf(limit);
  if (verdict !== null) return verdict;
  const reasons = intent === null ? [] : verdictOf(intent)?.reasons ?? [];
  return { effect: isRunning ? "running" : "unknown", reasons };
}

/** Start of a call: from measured times, else from the timestamps of the log. */
function offsetOf(first: AuditRecord, outcome: AuditRecord | null, startedAtMs: number): number {
  const ms = outcome?.ms?.total;
  if (outcome === null || ms === undefined) return Date.parse(first.ts) - startedAtMs;
  return (outcome.ms?.at ?? Date.parse(outcome.ts) - startedAtMs) - ms;
}

/** The text of the program; some logs keep it as a JSON string. */
function programText(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!text.startsWith('"')) return text;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "string" ? parsed : text;
  } catch {
    return text;
  }
}

function parseLogs(text: string | undefined): ExecutionTimeline["logs"] {
  if (text === undefined) return null;
  try {
    const lines: unknown = JSON.parse(text);
    if (!Array.isArray(lines)) return null;
    return lines.map((line) => ({ level: String(line?.level), text: String(line?.text) }));
  } catch {
    return null;
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
