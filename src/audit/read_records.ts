import type { AuditRecord } from "../model/event.ts";
import { hasEffect } from "../model/verdict.ts";
import { compileQuery, isInBounds, matchesLabels } from "../store/entry_filter.ts";
import type { LogEntry, Store } from "../store/store.ts";
import { type AuditFilter, toScanQuery } from "./audit_query.ts";
import { toRecord } from "./audit_record.ts";
import { readAscending } from "./chain/read_chain.ts";

/**
 * Every matching record of all chains, oldest first; `limit` and `after` do not apply.
 *
 * Leaves out records that are written during the read.
 */
export async function* readRecords(
  store: Pick<Store, "scan" | "logs" | "head">,
  filter: AuditFilter = {},
): AsyncGenerator<AuditRecord> {
  const sources: AsyncGenerator<LogEntry>[] = [];
  for (const chain of await store.logs()) sources.push(readChain(store, chain, filter));
  const open: { source: AsyncGenerator<LogEntry>; entry: LogEntry }[] = [];
  for (const source of sources) {
    const first = await source.next();
    if (!first.done) open.push({ source, entry: first.value });
  }
  while (open.length > 0) {
    const oldest = open.reduce((a, b) => b.entry.ts < a.entry.ts ? b : a);
    yield toRecord(oldest.entry);
    const next = await oldest.source.next();
    if (next.done) open.splice(open.indexOf(oldest), 1);
    else oldest.entry = next.value;
  }
}

async function* readChain(
  store: Pick<Store, "scan" | "head">,
  chain: string,
  filter: AuditFilter,
): AsyncGenerator<LogEntry> {
  const { limit: _limit, after: _after, effect, ...wanted } = filter;
  const compiled = compileQuery(toScanQuery(wanted));
  const size = ((await store.head(chain))?.seq ?? -1) + 1;
  const start = filter.since === undefined ? 0 : await firstAt(store, chain, filter.since);
  for await (const entries of readAscending(store, chain, start, size)) {
    for (const entry of entries) {
      if (filter.until !== undefined && entry.ts >= filter.until) return;
      if (!isInBounds(compiled, chain, entry) || !matchesLabels(compiled, entry)) continue;
      if (effect === undefined || hasEffect(toRecord(entry), effect)) yield entry;
    }
  }
}

/** The number of the first entry at or after a time. */
async function firstAt(store: Pick<Store, "scan">, chain: string, time: number): Promise<number> {
  const { entries } = await store.scan({ log: chain, to: time, limit: 1 });
  return (entries[0]?.seq ?? -1) + 1;
}
