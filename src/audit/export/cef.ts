import { cutGraphemes } from "../../model/cut_graphemes.ts";
import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import { type Disposition, dispositionOf, effectOf, isStopped } from "../../model/verdict.ts";
import { toolName } from "../audit_record.ts";

const VERSION = "1";
const VALUE_CHARACTERS_MAX = 1_023;

/**
 * One record in the Common Event Format, without a line end.
 *
 * @see ArcSight Common Event Format, version 25: `\` and `|` are escaped in the head, `\` and `=`
 * in values, and a line break in a value is written as `\n`.
 */
export function renderCef(record: AuditRecord): string {
  const name = record.tool === undefined ? record.kind : `${record.kind} ${toolName(record.tool)}`;
  const head = ["CEF:0", "toolgate", "toolgate", VERSION, record.kind, name]
    .map(escapeHead);
  return `${head.join("|")}|${severityOf(record)}|${renderExtension(record)}`;
}

/** 0 to 10, as the format defines: a refused call deserves a look, a tampered log an alarm. */
function severityOf(record: AuditRecord): number {
  if (typeof record.detail?.tampered === "string") return 10;
  if (record.kind === "auth.fail") return 6;
  if (isStopped(record)) return 6;
  if (record.err !== undefined) return 4;
  return record.tool?.access === "destructive" ? 4 : 2;
}

function renderExtension(record: AuditRecord): string {
  const { actor, tool, decision, result, ms } = record;
  const disposition = dispositionOf(record);
  const pairs: [string, string | number | undefined][] = [
    ["rt", Date.parse(record.ts)],
    ["externalId", `${record.chain}/${record.seq}`],
    ["dvchost", record.chain],
    ["suser", actor?.sub],
    ["suid", actor?.iss],
    ["requestClientApplication", actor?.client],
    ["destinationServiceName", tool?.server],
    ["request", tool === undefined ? undefined : toolName(tool)],
    ["requestMethod", tool?.access],
    ["act", disposition === null ? undefined : ACTIONS[disposition]],
    ["outcome", result?.status],
    ["reason", record.err?.code],
    ["msg", record.err?.message ?? (record.detail && canonicalJson(record.detail))],
    ["out", result?.bytes],
    ["in", record.args?.bytes],
    ...labelled("cs1", "execution", record.execution),
    ...labelled("cs2", "call", record.call),
    ...labelled("cs3", "rules", decision?.because.join(" ")),
    ...labelled("cs4", "policy", decision?.bundle),
    ...labelled("cs5", "space", record.space),
    ...labelled("cs6", "prev", record.prev),
    ...labelled("flexString1", "effect", effectOf(record) ?? undefined),
    ...labelled("cfp1", "msTotal", ms?.total),
    ...labelled("cfp2", "costUsd", record.cost),
  ];
  return pairs
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${escapeValue(String(value))}`)
    .join(" ");
}

/** The outcome decides, not the rule: every stopped call is `deny`. */
const ACTIONS: { readonly [disposition in Disposition]: string } = {
  allowed: "allow",
  denied: "deny",
  delayed: "ask",
  observed: "allow",
  planned: "planned",
  cancelled: "cancelled",
};

function labelled(
  key: string,
  label: string,
  value: string | number | undefined,
): [string, string | number | undefined][] {
  return value === undefined || value === "" ? [] : [[key, value], [`${key}Label`, label]];
}

function escapeHead(text: string): string {
  return withoutControls(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|");
}

function escapeValue(text: string): string {
  const cut = cutGraphemes(text, VALUE_CHARACTERS_MAX);
  return withoutControls(
    cut.replaceAll("\\", "\\\\").replaceAll("=", "\\=").replaceAll(/\r\n|\r|\n/g, "\\n"),
  );
}

/** A control character could end a syslog frame or a terminal's line. */
function withoutControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, " ");
}
