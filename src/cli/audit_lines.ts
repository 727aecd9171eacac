import type { AuditRecord } from "../model/event.ts";
import { recordKey } from "../model/record_key.ts";
import { renderReasons, verdictOf } from "../model/verdict.ts";
import { plain, renderTable } from "./table.ts";

/** Records as a table for people, in the given order. */
export function renderRecords(records: readonly AuditRecord[]): string {
  return renderTable(
    ["TIME", "KIND", "WHO", "TOOL", "EFFECT", "BECAUSE OF", "STATUS", "MS", "EXECUTION"],
    records.map((record) => [
      record.ts,
      record.kind,
      record.actor?.sub ?? "",
      toolOf(record),
      effectOf(record),
      renderReasons(verdictOf(record)?.reasons ?? []),
      statusOf(record),
      record.ms?.total === undefined ? "" : String(Math.round(record.ms.total * 10) / 10),
      record.execution ?? "",
    ]),
  );
}

/** One record with all its fields, for people. A text in it cannot look like another line. */
export function renderRecord(record: AuditRecord): string {
  const lines = [`${record.ts}  ${record.kind}  ${recordKey(record)}`];
  const line = (name: string, text: string | undefined) => {
    if (text !== undefined && text !== "") lines.push(`  ${name.padEnd(9)} ${plain(text)}`);
  };
  line("who", record.actor && `${record.actor.sub} (${record.actor.iss})`);
  line("call", record.call);
  line("code", record.code && `sha256:${record.code.sha256}, ${record.code.bytes} bytes`);
  line("tool", record.tool && `${toolOf(record)} ${record.tool.access ?? ""}`.trimEnd());
  const verdict = verdictOf(record);
  line(
    "decision",
    verdict === null
      ? undefined
      : `${effectOf(record)}, because of ${renderReasons(verdict.reasons) || "nothing"}`,
  );
  line("arguments", record.args && argumentsOf(record.args));
  line("result", record.result && resultOf(record.result));
  line("times", record.ms && timesOf(record.ms));
  line("cost", record.cost === undefined ? undefined : `${record.cost} USD`);
  line("error", record.err && `${record.err.code}: ${record.err.message}`);
  line("detail", record.detail && JSON.stringify(record.detail));
  return lines.join("\n");
}

function toolOf({ tool }: AuditRecord): string {
  return tool === undefined ? "" : `${tool.server}.${tool.name}`;
}

function effectOf(record: AuditRecord): string {
  const { effect = "" } = verdictOf(record) ?? {};
  const observed = record.decision?.observed;
  return observed === undefined ? effect : `${effect} (observed ${observed})`;
}

function statusOf(record: AuditRecord): string {
  const { action, type } = record.detail ?? {};
  const [what = ""] = [action, type].filter((word) => typeof word === "string");
  return record.err?.code ?? record.result?.status ?? what;
}

function resultOf(result: NonNullable<AuditRecord["result"]>): string {
  return result.bytes === undefined ? result.status : `${result.status}, ${result.bytes} bytes`;
}

function argumentsOf({ bytes, cut, commit }: NonNullable<AuditRecord["args"]>): string {
  if (cut === undefined) return `${bytes} bytes`;
  return `cut, ${bytes} bytes, sha256 ${commit} (salted); the first ${cut} characters are kept`;
}

function timesOf(ms: NonNullable<AuditRecord["ms"]>): string {
  return Object.entries(ms).map(([name, value]) => `${name} ${Math.round(value * 100) / 100} ms`)
    .join(", ");
}
