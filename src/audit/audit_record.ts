import { hash } from "node:crypto";
import type { AuditEvent, AuditRecord } from "../model/event.ts";
import { canonicalJson } from "../model/json/canonical_json.ts";
import { effectOf } from "../model/verdict.ts";
import type { LogEntry } from "../store/store.ts";

/** `prev` of a chain's first record. */
export const GENESIS = "0".repeat(64);

/** Bytes of one record's line; `normalizeEvent` cuts larger events. */
export const RECORD_BYTES_MAX = 32_768;

/** SHA-256 (hex) of a record's line, which the next record holds as `prev`. */
export function hashLine(line: string): string {
  return hash("sha256", line, "hex");
}

/**
 * Puts an event into its place in a chain.
 *
 * @param ts milliseconds since the epoch
 */
export function placeEvent(
  event: AuditEvent,
  place: { chain: string; seq: number; ts: number; prev: string },
): AuditRecord {
  return {
    ...event,
    v: 1,
    chain: place.chain,
    seq: place.seq,
    ts: new Date(place.ts).toISOString(),
    prev: place.prev,
  };
}

/** The log entry that holds a record; its index fields follow from the record alone. */
export function toLogEntry(record: AuditRecord, line = canonicalJson(record)): LogEntry {
  const effect = effectOf(record);
  return {
    log: record.chain,
    seq: record.seq,
    ts: Date.parse(record.ts),
    principal: withoutNul(record.actor?.sub ?? ""),
    tool: record.tool === undefined ? "" : withoutNul(toolName(record.tool)),
    execution: withoutNul(record.execution ?? ""),
    kind: record.kind,
    ...(effect === null ? {} : { effect }),
    body: line,
  };
}

/** Text columns of databases cannot hold NUL. */
function withoutNul(label: string): string {
  return label.replaceAll("\0", "");
}

/** `server.name`, as filters and exports spell a tool. */
export function toolName(tool: { readonly server: string; readonly name: string }): string {
  return `${tool.server}.${tool.name}`;
}

/** The record of an entry that this log wrote itself. */
export function toRecord(entry: LogEntry): AuditRecord {
  return JSON.parse(entry.body) as AuditRecord;
}

/** Whether a call that this record announces must have an outcome later in the chain. */
export function needsOutcome(record: AuditEvent): boolean {
  if (record.kind !== "call.intent" || record.call === undefined) return false;
  const effect = record.decision?.effect;
  return (effect !== "deny" && effect !== "hidden") || record.decision?.observed !== undefined;
}
