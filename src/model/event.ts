import type { Effect } from "./decision.ts";
import type { Access } from "./tool.ts";

export const AUDIT_KINDS = [
  "execution.start",
  "execution.end",
  "call.intent",
  "call.outcome",
  "search",
  "approval.ask",
  "approval.decide",
  "limit.hit",
  "catalog.change",
  "policy.activate",
  "auth.fail",
  "admin",
  "checkpoint",
] as const;
export type AuditKind = typeof AUDIT_KINDS[number];

export interface AuditActor {
  readonly sub: string;
  readonly iss: string;
  readonly client: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
}

/** The report of a component; the audit log adds `v`, `chain`, `seq`, `ts` and `prev`. */
export interface AuditEvent {
  readonly kind: AuditKind;
  readonly space?: string;
  readonly actor?: AuditActor;
  readonly task?: string;
  readonly trace?: string;
  readonly execution?: string;
  /** `<execution>:<index>`; also the idempotency key sent upstream. */
  readonly call?: string;
  readonly code?: { readonly sha256: string; readonly bytes: number };
  readonly tool?: {
    readonly server: string;
    readonly name: string;
    readonly access?: Access;
    readonly pin?: string;
  };
  readonly decision?: {
    readonly effect: Effect | "hidden";
    readonly because: readonly string[];
    /** Digest of the policy that decided. */
    readonly bundle: string;
    readonly observed?: Effect | "hidden";
  };
  readonly approval?: string;
  readonly args?: {
    readonly commit: string;
    readonly bytes: number;
    readonly redactions?: number;
    /** Characters kept of arguments that no upstream received. The commit covers all of them. */
    readonly cut?: number;
  };
  readonly result?: {
    readonly status: string;
    readonly commit?: string;
    readonly bytes?: number;
    readonly tokensKeptOut?: number;
  };
  readonly upstream?: {
    readonly credential?: string;
    readonly requestId?: string;
    readonly idempotencyKey?: string;
  };
  readonly ms?: {
    readonly total?: number;
    readonly policy?: number;
    readonly waitHuman?: number;
    readonly upstream?: number;
    /** From the start of the execution until the program received this outcome. */
    readonly at?: number;
  };
  /** US dollars. */
  readonly cost?: number;
  readonly err?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** Facts without a field of their own (search, admin, limits). Small JSON without secrets. */
  readonly detail?: { readonly [key: string]: unknown };
}

/** One line of the log as it is stored, listed and exported. */
export interface AuditRecord extends AuditEvent {
  readonly v: 1;
  /** Name of the hash chain: one per replica. */
  readonly chain: string;
  /** Consecutive from 0 within a chain. */
  readonly seq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly ts: string;
  /** SHA-256 (hex) of the previous record's canonical JSON; 64 zeros for the first. */
  readonly prev: string;
}
