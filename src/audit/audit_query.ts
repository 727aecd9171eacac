import type { AuditRecord } from "../model/event.ts";
import { effectsWithin, hasEffect } from "../model/verdict.ts";
import { compileQuery, isInBounds, matchesLabels } from "../store/entry_filter.ts";
import { isGlob } from "../model/glob.ts";
import { compareNewestFirst, formatCursor } from "../store/scan_cursor.ts";
import type { ScanPage, ScanQuery, Store } from "../store/store.ts";
import { toLogEntry, toRecord } from "./audit_record.ts";

/** Every given member must match. */
export interface AuditFilter {
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
  /** The actor's `sub`. */
  readonly principal?: string;
  /** `server.name`, or a pattern with `*` and `?`. */
  readonly tool?: string;
  readonly execution?: string;
  /** A `ShownEffect`; `deny` finds everything that was stopped. */
  readonly effect?: string;
  readonly kind?: string;
  /** Default 100, at most 10,000. */
  readonly limit?: number;
  /** `next` of the previous page. */
  readonly after?: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly records: AuditRecord[];
  readonly next?: string;
}

export const QUERY_LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;

/** @throws {RangeError} if `after` is not the `next` of a page. */
export async function queryAudit(
  store: Pick<Store, "scan">,
  filter: AuditFilter,
): Promise<AuditPage> {
  const query = toScanQuery(filter);
  const { entries, next } = filter.effect === undefined
    ? await store.scan(query)
    : await scanEffects(store, query, effectsWithin(filter.effect));
  const found = entries.map(toRecord);
  const { effect } = filter;
  const records = effect === undefined ? found : found.filter((one) => hasEffect(one, effect));
  return next === undefined ? { records } : { records, next };
}

/** One page of the entries filed under any of these effects, newest first. */
async function scanEffects(
  store: Pick<Store, "scan">,
  query: ScanQuery,
  effects: readonly string[],
): Promise<ScanPage> {
  const pages = await Promise.all(effects.map((effect) => store.scan({ ...query, effect })));
  const found = pages.flatMap((page) => page.entries).sort(compareNewestFirst);
  const entries = found.slice(0, query.limit);
  const last = entries.at(-1);
  const isMore = found.length > entries.length || pages.some(({ next }) => next !== undefined);
  return isMore && last !== undefined ? { entries, next: formatCursor(last) } : { entries };
}

/** Whether a record matches a filter; `after` does not apply. */
export function recordMatcher(filter: AuditFilter): (record: AuditRecord) => boolean {
  const { after: _, effect, ...wanted } = filter;
  const compiled = compileQuery(toScanQuery(wanted));
  return (record) => {
    const entry = toLogEntry(record);
    return isInBounds(compiled, record.chain, entry) && matchesLabels(compiled, entry) &&
      (effect === undefined || hasEffect(record, effect));
  };
}

/** Leaves out the effect: one effect can be several labels in the store. */
export function toScanQuery(filter: AuditFilter): ScanQuery {
  const { since, until, principal, tool, execution, kind, after } = filter;
  return {
    ...(since === undefined ? {} : { from: since }),
    ...(until === undefined ? {} : { to: until }),
    ...(principal === undefined ? {} : { principal }),
    ...(tool === undefined ? {} : isGlob(tool, "*?") ? { toolPattern: tool } : { tool }),
    ...(execution === undefined ? {} : { execution }),
    ...(kind === undefined ? {} : { kind }),
    ...(after === undefined ? {} : { after }),
    limit: Math.min(QUERY_LIMIT_MAX, Math.max(1, filter.limit ?? LIMIT_DEFAULT)),
  };
}
