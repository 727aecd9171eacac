import type { AuditRecord } from "../model/event.ts";
import { compileQuery, isInBounds, matchesLabels } from "../store/entry_filter.ts";
import { isGlob } from "../store/glob.ts";
import type { ScanQuery, Store } from "../store/store.ts";
import { toLogEntry, toRecord } from "./audit_record.ts";

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

export const QUERY_LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;

/** @throws {RangeError} if `after` is not a place in the log. */
export async function queryAudit(
  store: Pick<Store, "scan">,
  filter: AuditFilter,
): Promise<AuditPage> {
  const { entries, next } = await store.scan(toScanQuery(filter));
  const records = entries.map(toRecord);
  return next === undefined ? { records } : { records, next };
}

/** Whether a record is one that a filter asks for; its place in the log does not count. */
export function recordMatcher(filter: AuditFilter): (record: AuditRecord) => boolean {
  const { after: _, ...wanted } = filter;
  const compiled = compileQuery(toScanQuery(wanted));
  return (record) => {
    const entry = toLogEntry(record);
    return isInBounds(compiled, record.chain, entry) && matchesLabels(compiled, entry);
  };
}

export function toScanQuery(filter: AuditFilter): ScanQuery {
  const { since, until, principal, tool, execution, effect, kind, after } = filter;
  return {
    ...(since === undefined ? {} : { from: since }),
    ...(until === undefined ? {} : { to: until }),
    ...(principal === undefined ? {} : { principal }),
    ...(tool === undefined ? {} : isGlob(tool) ? { toolPattern: tool } : { tool }),
    ...(execution === undefined ? {} : { execution }),
    ...(effect === undefined ? {} : { effect }),
    ...(kind === undefined ? {} : { kind }),
    ...(after === undefined ? {} : { after }),
    limit: Math.min(QUERY_LIMIT_MAX, Math.max(1, filter.limit ?? LIMIT_DEFAULT)),
  };
}
