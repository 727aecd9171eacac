import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import { dispositionOf, effectOf, renderReasons, verdictOf } from "../../model/verdict.ts";
import { toolName } from "../audit_record.ts";

/** One column of the flat forms (CSV, Parquet). */
export interface ExportColumn {
  readonly name: string;
  readonly type: "text" | "integer" | "number" | "time";
  /** Text, a number, or a time in milliseconds since the epoch; null when the record has none. */
  readonly read: (record: AuditRecord) => string | number | null;
}

/**
 * Append only: readers combine files of several years. A list is a JSON array, so that names with
 * spaces stay separate.
 */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  { name: "chain", type: "text", read: (record) => record.chain },
  { name: "seq", type: "integer", read: (record) => record.seq },
  { name: "ts", type: "time", read: (record) => Date.parse(record.ts) },
  { name: "kind", type: "text", read: (record) => record.kind },
  { name: "space", type: "text", read: (record) => record.space ?? null },
  { name: "principal", type: "text", read: (record) => record.actor?.sub ?? null },
  { name: "issuer", type: "text", read: (record) => record.actor?.iss ?? null },
  { name: "client", type: "text", read: (record) => record.actor?.client ?? null },
  { name: "groups", type: "text", read: (record) => list(record.actor?.groups) },
  { name: "task", type: "text", read: (record) => record.task ?? null },
  { name: "trace", type: "text", read: (record) => record.trace ?? null },
  { name: "execution", type: "text", read: (record) => record.execution ?? null },
  { name: "call", type: "text", read: (record) => record.call ?? null },
  { name: "tool", type: "text", read: (record) => record.tool ? toolName(record.tool) : null },
  { name: "access", type: "text", read: (record) => record.tool?.access ?? null },
  { name: "effect", type: "text", read: effectOf },
  { name: "because", type: "text", read: (record) => list(record.decision?.because) },
  { name: "policy", type: "text", read: (record) => record.decision?.bundle ?? null },
  { name: "approval", type: "text", read: (record) => record.approval ?? null },
  { name: "status", type: "text", read: (record) => record.result?.status ?? null },
  { name: "args_bytes", type: "integer", read: (record) => record.args?.bytes ?? null },
  { name: "args_commit", type: "text", read: (record) => record.args?.commit ?? null },
  { name: "result_bytes", type: "integer", read: (record) => record.result?.bytes ?? null },
  { name: "result_commit", type: "text", read: (record) => record.result?.commit ?? null },
  {
    name: "tokens_kept_out",
    type: "integer",
    read: (record) => record.result?.tokensKeptOut ?? null,
  },
  { name: "code_sha256", type: "text", read: (record) => record.code?.sha256 ?? null },
  { name: "ms_total", type: "number", read: (record) => record.ms?.total ?? null },
  { name: "ms_policy", type: "number", read: (record) => record.ms?.policy ?? null },
  { name: "ms_upstream", type: "number", read: (record) => record.ms?.upstream ?? null },
  { name: "ms_wait_human", type: "number", read: (record) => record.ms?.waitHuman ?? null },
  { name: "cost_usd", type: "number", read: (record) => record.cost ?? null },
  { name: "error_code", type: "text", read: (record) => record.err?.code ?? null },
  { name: "error_message", type: "text", read: (record) => record.err?.message ?? null },
  {
    name: "detail",
    type: "text",
    read: (record) => record.detail ? canonicalJson(record.detail) : null,
  },
  { name: "prev", type: "text", read: (record) => record.prev },
  { name: "shown_effect", type: "text", read: effectOf },
  {
    name: "reasons",
    type: "text",
    read: (record) => renderReasons(verdictOf(record)?.reasons ?? []) || null,
  },
  { name: "decision", type: "text", read: (record) => record.decision?.effect ?? null },
  { name: "disposition", type: "text", read: dispositionOf },
];

function list(values: readonly string[] | undefined): string | null {
  return values === undefined || values.length === 0 ? null : JSON.stringify(values);
}
