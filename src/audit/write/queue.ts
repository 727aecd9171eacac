/** The queue of events to write, and which of them may be refused. */
import type { AuditEvent, AuditKind, AuditRecord } from "../../model/event.ts";
import { RECORD_BYTES_MAX } from "../audit_record.ts";
import { charactersOf, type KeptPayloads } from "../payloads/payload_box.ts";

export const AUDIT_LIMITS = {
  /** A batch fits into one commit of every backend. */
  batchRecordsMax: 300,
  batchPayloadCharactersMax: 200_000,
  /** Above these, announcements are refused. */
  queueRecordsMax: 10_000,
  queueCharactersMax: 67_108_864,
  /** Above this, facts are refused too; only a store that is away for long causes this. */
  factsMax: 50_000,
  /** How long a record without a waiting caller may wait for a shared commit. */
  lingerMs: 5,
  /** A commit that takes longer counts as a store that does not answer. */
  stallMs: 3_000,
  /** How long the caller of a fact waits for a broken store; the record stays queued after that. */
  factPatienceMs: 15_000,
  /** How long a close waits for a store that does not answer. */
  closePatienceMs: 5_000,
  firstTrimMs: 60_000,
  trimEveryMs: 3_600_000,
  retryMinMs: 100,
  retryMaxMs: 2_000,
} as const;

export type AuditLimits = { readonly [name in keyof typeof AUDIT_LIMITS]: number };

/** `now`: a commit begins at once. `soon`: it goes with the next one, or after `lingerMs`. */
export type Urgency = "now" | "soon";

/** A queued event, and the caller that waits for its record. */
export interface Waiting {
  readonly event: AuditEvent;
  /** Milliseconds since the epoch. */
  readonly ts: number;
  readonly payloads: KeptPayloads | null;
  readonly characters: number;
  /** The caller got an error, so the announced action does not happen. */
  refused: boolean;
  /** Whether this is the log's own event, which is never refused. */
  readonly own: boolean;
  readonly resolve: (record: AuditRecord) => void;
  readonly reject: (error: unknown) => void;
}

export interface AuditQueue {
  push(waiting: Waiting): void;
  /** Puts taken events back in front. */
  putBack(waitings: readonly Waiting[]): void;
  /** The next batch; it ends with a demanded checkpoint. */
  take(): Waiting[];
  /** Removes and returns the events that match `isOut`. */
  remove(isOut: (waiting: Waiting) => boolean): Waiting[];
  all(): readonly Waiting[];
  length(): number;
  isFull(): boolean;
}

export function createAuditQueue(limits: AuditLimits): AuditQueue {
  let queue: Waiting[] = [];
  let characters = 0;
  return {
    push(waiting) {
      queue.push(waiting);
      characters += waiting.characters;
    },
    putBack(waitings) {
      queue.unshift(...waitings);
      for (const waiting of waitings) characters += waiting.characters;
    },
    take() {
      let count = 0;
      let taken = 0;
      for (const waiting of queue) {
        const fits = taken + waiting.characters <= limits.batchPayloadCharactersMax;
        if (count >= limits.batchRecordsMax || (count > 0 && !fits)) break;
        taken += waiting.characters;
        count++;
        if (waiting.event.kind === "checkpoint") break;
      }
      characters -= taken;
      return queue.splice(0, count);
    },
    remove(isOut) {
      const out = queue.filter(isOut);
      if (out.length > 0) queue = queue.filter((waiting) => !isOut(waiting));
      for (const waiting of out) characters -= waiting.characters;
      return out;
    },
    all: () => queue,
    length: () => queue.length,
    isFull: () => queue.length >= limits.queueRecordsMax || characters >= limits.queueCharactersMax,
  };
}

/** Bytes of a record in the store: its line without the error, and its index entries. */
const RECORD_BYTES = 2_048;

/** Estimated bytes of a record with its payloads in the store, without compression. */
export function storedBytesOf({ err }: AuditEvent, payloads: KeptPayloads | null): number {
  const own = RECORD_BYTES + Math.min(RECORD_BYTES_MAX, (err?.message.length ?? 0) * 2);
  if (payloads === null) return own;
  return own + ("large" in payloads ? payloads.bytes : charactersOf(payloads));
}

/** Kinds that are written before an action. All other kinds record facts. */
const ANNOUNCEMENTS: ReadonlySet<AuditKind> = new Set<AuditKind>([
  "search",
  "execution.start",
  "call.intent",
  "approval.ask",
  "approval.decide",
  "policy.activate",
  "admin",
]);

export function isAnnouncementKind(kind: AuditKind): boolean {
  return ANNOUNCEMENTS.has(kind);
}

export function isAnnouncement(waiting: Waiting): boolean {
  return !waiting.own && isAnnouncementKind(waiting.event.kind);
}

/** An event of the log itself. */
export function ownEvent(event: AuditEvent, ts: number): Waiting {
  return {
    event,
    ts,
    payloads: null,
    characters: 0,
    refused: false,
    own: true,
    resolve: () => {},
    reject: () => {},
  };
}

/**
 * The record about an announcement that is in the chain although its caller got an error, because
 * the commit answered too late.
 */
export function describeRefused(record: AuditRecord): AuditEvent {
  const { actor, space, task, trace, execution, call, tool } = record;
  const about = {
    ...(actor ? { actor } : {}),
    ...(space ? { space } : {}),
    ...(task ? { task } : {}),
    ...(trace ? { trace } : {}),
    ...(execution ? { execution } : {}),
  };
  const err = {
    code: "ERR_AUDIT_UNAVAILABLE",
    message: "Refused: the audit log did not answer in time",
  };
  if (record.kind === "call.intent" && call !== undefined) {
    return {
      ...about,
      kind: "call.outcome",
      call,
      ...(tool ? { tool } : {}),
      result: { status: "refused" },
      err,
    };
  }
  if (record.kind === "execution.start") {
    return { ...about, kind: "execution.end", result: { status: "refused" }, err };
  }
  const detail = { type: "audit.refused", seq: record.seq, kind: record.kind };
  return { ...about, kind: "admin", detail, err };
}
