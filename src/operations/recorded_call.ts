import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditRecord } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import { type Verdict, verdictOf } from "../model/verdict.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

/** A call from the log: the question for the gate, and the gate's verdict at that time. */
export interface RecordedCall {
  /** `<execution>:<index>` */
  readonly call: string;
  readonly execution: string;
  readonly tool: string;
  readonly sub: string;
  readonly issuer: string;
  readonly client: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly space: string;
  readonly tainted: boolean;
  /** Servers whose results the program had seen. */
  readonly sources: readonly string[];
  /** JSON; null if not kept, no longer kept, or not for this reader. */
  readonly argsText: string | null;
  /** Digest of the policy that decided; null if none did. */
  readonly policyDigest: string | null;
  readonly verdict: Verdict | null;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

const RECORDS_MAX = 10_000;

export interface OpenRecordedCallDeps extends RecordAdminDeps {
  readonly audit: Pick<AuditLog, "append" | "query" | "payloads">;
}

/**
 * Reads a call from the log, to ask the gate about it again.
 *
 * @param mayOpen opens its arguments, which is recorded; callers must require scope `auditor`
 *   first.
 * @returns null if the log does not know the call.
 */
export async function openRecordedCall(
  deps: OpenRecordedCallDeps,
  principal: Principal,
  call: string,
  mayOpen: boolean,
): Promise<RecordedCall | null> {
  const found = await readRecordedCall(deps.audit, call, mayOpen);
  if (found === null || !mayOpen) return found;
  await recordAdmin(deps, principal, "payloads.read", { execution: found.execution, call });
  return found;
}

/**
 * @param mayOpen whether to open the call's arguments, which the caller must record.
 * @returns null if the log does not know the call.
 */
export async function readRecordedCall(
  audit: Pick<AuditLog, "query" | "payloads">,
  call: string,
  mayOpen: boolean,
): Promise<RecordedCall | null> {
  const execution = call.slice(0, Math.max(0, call.lastIndexOf(":")));
  if (execution === "") return null;
  const page = await audit.query({ execution, limit: RECORDS_MAX });
  const records = page.records.toReversed();
  const own = records.filter((record) => record.call === call);
  const first = own.find(({ tool }) => tool !== undefined);
  if (first?.tool === undefined) return null;
  const outcome = own.findLast(({ kind }) => kind === "call.outcome");
  const withArgs = own.find(({ args }) => args !== undefined);
  const decided = own.find(({ decision }) => decision !== undefined);
  const { actor } = first;
  return {
    call,
    execution,
    tool: `${first.tool.server}.${first.tool.name}`,
    sub: actor?.sub ?? "",
    issuer: actor?.iss ?? "",
    client: actor?.client ?? "",
    groups: actor?.groups ?? [],
    scopes: actor?.scopes ?? [],
    space: first.space ?? "",
    tainted: own.some(({ detail }) => detail?.tainted === true),
    sources: sourcesBefore(records, first),
    argsText: !mayOpen || withArgs === undefined
      ? null
      : (await audit.payloads(withArgs))?.args ?? null,
    policyDigest: decided?.decision?.bundle ?? null,
    verdict: verdictOf(
      outcome === undefined
        ? first
        : decided?.decision === undefined || outcome.decision !== undefined
        ? outcome
        : { ...outcome, decision: decided.decision },
    ),
    atMs: Date.parse(first.ts),
  };
}

/** Servers that answered the program before the given record. */
function sourcesBefore(records: readonly AuditRecord[], until: AuditRecord): readonly string[] {
  const made = new Set(
    records.flatMap(({ kind, call }) => kind === "call.intent" && call !== undefined ? [call] : []),
  );
  const seen = new Set<string>();
  for (const record of records) {
    if (record === until) break;
    const { kind, call, tool } = record;
    if (kind === "call.outcome" && tool && made.has(call ?? "")) seen.add(tool.server);
  }
  return [...seen];
}
