/**
 * A record as an OCSF API Activity event (class 6003) with the profiles security_control,
 * ai_operation, record_integrity and, when there is a trace, trace.
 *
 * `raw_data` holds the log's own line: a verifier can check the hash chain of an OCSF export too.
 *
 * @see https://schema.ocsf.io, 1.9.0-dev: api_activity
 */
import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import type { Json } from "../../model/json/json.ts";
import { sha256Hex } from "../../model/sha256.ts";
import { dispositionOf, effectOf, isStopped } from "../../model/verdict.ts";
import { toolName } from "../audit_record.ts";

export interface OcsfEvent {
  readonly [attribute: string]: Json;
}

const SCHEMA_VERSION = "1.9.0-dev";
const CLASS_UID = 6_003;
const SHA_256 = { algorithm_id: 3, algorithm: "SHA-256" };
const JCS = { serialization_id: 2, serialization: "JCS" };
const HEX = { encoding_id: 1, encoding: "Hex" };

export function toOcsf(record: AuditRecord): OcsfEvent {
  const line = canonicalJson(record);
  const activity = activityOf(record);
  const status = statusOf(record);
  const severity = severityOf(record);
  const event: { [attribute: string]: Json } = {
    ...activity,
    activity_id: activity.activity_id,
    category_uid: 6,
    category_name: "Application Activity",
    class_uid: CLASS_UID,
    class_name: "API Activity",
    type_uid: CLASS_UID * 100 + activity.activity_id,
    type_name: `API Activity: ${activity.activity_name}`,
    ...severity,
    ...status,
    time: Date.parse(record.ts),
    message: messageOf(record),
    metadata: metadataOf(record),
    actor: actorOf(record),
    api: apiOf(record),
    src_endpoint: { name: record.actor?.client ?? "toolgate", type_id: 0, type: "Unknown" },
    ...(record.tool ? { dst_endpoint: { svc_name: record.tool.server } } : {}),
    ...(record.tool ? { resources: [resourceOf(record.tool)] } : {}),
    ...securityOf(record),
    ...aiOf(record),
    ...(record.trace === undefined ? {} : { trace: { uid: record.trace } }),
    raw_data: line,
    raw_data_hash: { ...SHA_256, ...HEX, value: sha256Hex(line) },
    raw_data_size: Buffer.byteLength(line),
    unmapped: unmappedOf(record),
  };
  return { ...event, attestation_list: [attest(record, event)] };
}

/** The event's fingerprint, computed over the whole event except the fingerprint itself. */
function attest(record: AuditRecord, event: OcsfEvent): Json {
  const attestation = { uid: uidOf(record), authority_uid: "toolgate", chain_uid: record.chain };
  const value = sha256Hex(canonicalJson({ ...event, attestation_list: [attestation] }));
  return { ...attestation, fingerprint: { ...SHA_256, ...HEX, ...JCS, value } };
}

/** The tool's class from the policy decides; the name counts only for a tool without a class. */
function activityOf(record: AuditRecord): { activity_id: number; activity_name: string } {
  if (record.kind === "search") return READ;
  const { tool } = record;
  if (tool?.access === "read") return READ;
  if (tool?.access === "destructive") return DELETE;
  if (tool?.access === "write") return UPDATE;
  const guessed = tool === undefined ? undefined : activityOfName(tool.name);
  if (guessed !== undefined) return guessed;
  return { activity_id: 99, activity_name: OTHER_ACTIVITIES.get(record.kind) ?? record.kind };
}

/** Matches the first or last whole word of a name: `create_issue`, `postsDelete`. */
function activityOfName(name: string): { activity_id: number; activity_name: string } | undefined {
  const words = name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase().match(/[a-z]+/g);
  return ACTIVITY_OF_VERB.get(words?.[0] ?? "") ?? ACTIVITY_OF_VERB.get(words?.at(-1) ?? "");
}

const CREATE = { activity_id: 1, activity_name: "Create" };
const READ = { activity_id: 2, activity_name: "Read" };
const UPDATE = { activity_id: 3, activity_name: "Update" };
const DELETE = { activity_id: 4, activity_name: "Delete" };

const ACTIVITY_OF_VERB: ReadonlyMap<string, typeof CREATE> = new Map([
  ...["create", "add", "insert", "new"].map((verb) => [verb, CREATE] as const),
  ...["get", "list", "read", "search", "find"].map((verb) => [verb, READ] as const),
  ...["update", "set", "edit", "change"].map((verb) => [verb, UPDATE] as const),
  ...["delete", "remove", "destroy", "purge"].map((verb) => [verb, DELETE] as const),
]);

const OTHER_ACTIVITIES: ReadonlyMap<string, string> = new Map([
  ["execution.start", "Execute"],
  ["execution.end", "Execute"],
  ["approval.ask", "Approve"],
  ["approval.decide", "Approve"],
  ["auth.fail", "Authenticate"],
]);

function statusOf(record: AuditRecord): { [attribute: string]: Json } {
  const status = record.result?.status;
  const details = {
    ...(status === undefined ? {} : { status_code: status }),
    ...(record.err === undefined ? {} : { status_detail: record.err.message }),
  };
  if (record.kind === "auth.fail" || record.err !== undefined) {
    return { status_id: 2, status: "Failure", ...details };
  }
  if (status === "ok") return { status_id: 1, status: "Success", ...details };
  if (status === "unknown") return { status_id: 0, status: "Unknown", ...details };
  if (status !== undefined) return { status_id: 99, status, ...details };
  const isBegun = record.kind === "call.intent" || record.kind === "execution.start";
  return isBegun ? { status_id: 99, status: "Started" } : { status_id: 1, status: "Success" };
}

function severityOf(record: AuditRecord): { severity_id: number; severity: string } {
  if (typeof record.detail?.tampered === "string") return { severity_id: 5, severity: "Critical" };
  if (isAlert(record)) return { severity_id: 3, severity: "Medium" };
  if (record.err !== undefined || record.tool?.access === "destructive") {
    return { severity_id: 2, severity: "Low" };
  }
  return { severity_id: 1, severity: "Informational" };
}

function isAlert(record: AuditRecord): boolean {
  return record.kind === "auth.fail" || isStopped(record) ||
    typeof record.detail?.tampered === "string";
}

function messageOf(record: AuditRecord): string {
  const who = record.actor?.sub === undefined ? "" : ` by ${record.actor.sub}`;
  const what = record.tool === undefined ? "" : ` of ${toolName(record.tool)}`;
  const effect = effectOf(record);
  const decision = effect === null ? "" : `: ${effect}`;
  const status = record.result === undefined ? "" : `, ${record.result.status}`;
  return `${record.kind}${what}${who}${decision}${status}`;
}

function metadataOf(record: AuditRecord): Json {
  const profiles = ["security_control", "ai_operation", "record_integrity"];
  if (record.trace !== undefined) profiles.push("trace");
  const correlation = record.task ?? record.trace ?? record.execution;
  return {
    version: SCHEMA_VERSION,
    product: { name: "toolgate", vendor_name: "toolgate" },
    profiles,
    uid: uidOf(record),
    sequence: record.seq,
    log_name: record.chain,
    event_code: record.kind,
    original_time: record.ts,
    ...(record.space === undefined ? {} : { tenant_uid: record.space }),
    ...(correlation === undefined ? {} : { correlation_uid: correlation }),
  };
}

function actorOf(record: AuditRecord): Json {
  const { actor } = record;
  if (actor === undefined) return { app_name: "toolgate" };
  return {
    user: {
      name: actor.sub,
      uid: actor.sub,
      type_id: 0,
      type: "Unknown",
      groups: actor.groups.map((name) => ({ name })),
    },
    session: { issuer: actor.iss },
    app_name: actor.client,
  };
}

function apiOf(record: AuditRecord): Json {
  const { tool, err } = record;
  return {
    operation: tool === undefined ? record.kind : tool.name,
    ...(tool === undefined ? {} : { service: { name: tool.server } }),
    request: { uid: record.call ?? record.execution ?? uidOf(record) },
    ...(err === undefined ? {} : { response: { error: err.code, error_message: err.message } }),
  };
}

function resourceOf(tool: NonNullable<AuditRecord["tool"]>): Json {
  return {
    name: toolName(tool),
    namespace: tool.server,
    ...(tool.pin === undefined ? {} : { version: tool.pin }),
  };
}

/** The gate's decision and action as attributes of the profile security_control. */
function securityOf(record: AuditRecord): { [attribute: string]: Json } {
  const { decision } = record;
  const base = { ...actionOf(record), is_alert: isAlert(record) };
  if (decision === undefined) return base;
  const authorizations = decision.because.map((rule): Json => ({
    decision: decision.effect,
    policy: { uid: rule },
  }));
  return {
    ...base,
    policy: { uid: decision.bundle, is_applied: decision.observed === undefined },
    ...(authorizations.length === 0 ? {} : { authorizations }),
  };
}

/** The outcome decides, not the rule: a call that a rule allowed may have been stopped later. */
function actionOf(record: AuditRecord): { [attribute: string]: Json } {
  const disposition = dispositionOf(record);
  switch (disposition) {
    case null:
      return record.kind === "auth.fail"
        ? { action_id: 2, action: "Denied", ...UNAUTHORIZED }
        : { action_id: 3, action: "Observed", ...LOGGED };
    case "denied": {
      const isHidden = effectOf(record) === "hidden";
      return { action_id: 2, action: "Denied", ...(isHidden ? UNAUTHORIZED : BLOCKED) };
    }
    case "allowed": {
      const isApproved = record.approval !== undefined;
      return { action_id: 1, action: "Allowed", ...(isApproved ? APPROVED : ALLOWED) };
    }
    case "delayed":
      return { action_id: 4, action: "Modified", ...DELAYED };
    case "observed":
    case "planned":
      return { action_id: 3, action: "Observed", ...LOGGED };
    case "cancelled":
      return { action_id: 99, action: "Cancelled", ...NO_ACTION };
  }
}

const ALLOWED = { disposition_id: 1, disposition: "Allowed" };
const BLOCKED = { disposition_id: 2, disposition: "Blocked" };
const APPROVED = { disposition_id: 8, disposition: "Approved" };
const DELAYED = { disposition_id: 14, disposition: "Delayed" };
const NO_ACTION = { disposition_id: 16, disposition: "No Action" };
const LOGGED = { disposition_id: 17, disposition: "Logged" };
const UNAUTHORIZED = { disposition_id: 26, disposition: "Unauthorized" };

/** The AI agent, the server and the task as attributes of the profile ai_operation. */
function aiOf(record: AuditRecord): { [attribute: string]: Json } {
  const client = record.actor?.client;
  const isCall = record.tool !== undefined;
  return {
    ...(client === undefined ? {} : {
      ai_agent: {
        name: client,
        uid: client,
        ...(record.execution === undefined ? {} : { instance_uid: record.execution }),
      },
    }),
    message_context: {
      service: { name: record.tool?.server ?? "toolgate" },
      ai_role_id: isCall ? 3 : 4,
      ai_role: isCall ? "Tool" : "Agent",
      ...(record.task === undefined ? {} : { uid: record.task }),
    },
  };
}

/** Members of the record that have no attribute in the schema. */
function unmappedOf(record: AuditRecord): Json {
  const { args, result, ms, cost, code, upstream, approval, detail, prev } = record;
  const effect = effectOf(record) ?? undefined;
  const members = { effect, args, result, ms, cost, code, upstream, approval, detail, prev };
  // The round trip through JSON removes undefined members.
  return JSON.parse(JSON.stringify(members));
}

function uidOf(record: AuditRecord): string {
  return `${record.chain}/${record.seq}`;
}
