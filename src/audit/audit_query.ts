import type { AuditRecord } from "../model/event.ts";
import type { LogEntry, ScanQuery, Store } from "../store/store.ts";
import { toRecord } from "./audit_record.ts";
import { compileGlob, isGlob } from "./glob.ts";

/** Every given member must match. */
export interface AuditFilter {
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
  /** The actor's `sub`. */
  readonly principal?: string;
  /** `server.name`, or with `*` and `?`. */
  readonly tool?: string;
  readonly execution?: string;
  readonly effect?: string;
  readonly kind?: string;
  /** Default 100, at most 10,000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly records: AuditRecord[];
  readonly next?: string;
}

const LIMIT_DEFAULT = 100;
export const QUERY_LIMIT_MAX = 10_000;

export async function queryAudit(
  deps: { store: Pick<Store, "scan"> },
  filter: AuditFilter,
): Promise<AuditPage> {
  const limit = Math.min(QUERY_LIMIT_MAX, Math.max(1, filter.limit ?? LIMIT_DEFAULT));
  const isWanted = compileFilter(filter);
  const records: AuditRecord[] = [];
  let after = filter.after;
  for (;;) {
    const page = await deps.store.scan({
      ...indexOf(filter),
      limit: Math.max(limit, 500),
      ...(after === undefined ? {} : { after }),
    });
    for (const [index, entry] of page.entries.entries()) {
      const record = isWanted(entry);
      if (record === null) continue;
      records.push(record);
      if (records.length < limit) continue;
      const more = index < page.entries.length - 1 || page.next !== undefined;
      return more ? { records, next: cursorOf(entry) } : { records };
    }
    if (page.next === undefined) return { records };
    after = page.next;
  }
}

/** The most telling index of the store for a filter. */
function indexOf(filter: AuditFilter): ScanQuery {
  const { since, until, execution, principal, tool } = filter;
  const range = {
    ...(since === undefined ? {} : { from: since }),
    ...(until === undefined ? {} : { to: until }),
  };
  if (execution !== undefined) return { ...range, execution };
  if (tool !== undefined && !isGlob(tool)) return { ...range, tool };
  if (principal !== undefined) return { ...range, principal };
  return range;
}

/** Answers the record when an entry matches, else null; reads the record only if it must. */
export function compileFilter(filter: AuditFilter): (entry: LogEntry) => AuditRecord | null {
  const isTool = filter.tool === undefined ? null : compileGlob(filter.tool);
  const { since = 0, until = Infinity, principal, execution, effect, kind } = filter;
  return (entry) => {
    if (entry.ts < since || entry.ts >= until) return null;
    if (principal !== undefined && entry.principal !== principal) return null;
    if (execution !== undefined && entry.execution !== execution) return null;
    if (isTool !== null && (entry.tool === "" || !isTool(entry.tool))) return null;
    const record = toRecord(entry);
    if (effect !== undefined && record.decision?.effect !== effect) return null;
    if (kind !== undefined && record.kind !== kind) return null;
    return record;
  };
}

/** The same place as the store's own cursor. */
function cursorOf(entry: LogEntry): string {
  return JSON.stringify([entry.ts, entry.seq, entry.log]);
}
