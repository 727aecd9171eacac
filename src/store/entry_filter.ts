import { compileGlob } from "../model/glob.ts";
import { compareNewestFirst, parseCursor, type ScanPlace } from "./scan_cursor.ts";
import type { LogEntry, ScanQuery } from "./store.ts";

/** The members that a scan can filter by. */
export type EntryLabels = Omit<LogEntry, "log" | "body">;

/** The text labels that a scan can filter by; columns are stored in this order. */
export const LABEL_FIELDS = ["principal", "tool", "execution", "kind", "effect"] as const;
export type LabelField = (typeof LABEL_FIELDS)[number];

/** A compiled query, for one log at a time. */
export interface EntryFilter {
  /** Labels that must equal these values. */
  readonly exact: readonly (readonly [LabelField, string])[];
  readonly isTool: ((tool: string) => boolean) | null;
  /** Milliseconds, inclusive. */
  readonly from: number;
  /** Milliseconds, exclusive. */
  readonly to: number;
  readonly beforeSeq: number;
  readonly place: ScanPlace | null;
}

/** @throws {RangeError} if `after` is not a cursor. */
export function compileQuery(query: ScanQuery): EntryFilter {
  const place = query.after === undefined ? null : parseCursor(query.after);
  return {
    exact: LABEL_FIELDS.flatMap((field) => {
      const value = query[field];
      return value === undefined ? [] : [[field, value] as const];
    }),
    isTool: query.toolPattern === undefined ? null : compileGlob(query.toolPattern, "*?"),
    from: query.from ?? 0,
    to: Math.min(query.to ?? Infinity, place === null ? Infinity : place.ts + 1),
    beforeSeq: query.beforeSeq ?? Infinity,
    place,
  };
}

/** Whether the query filters by labels, not only by place and time. */
export function hasLabels(filter: EntryFilter): boolean {
  return filter.exact.length > 0 || filter.isTool !== null;
}

export function labelOf(entry: EntryLabels, field: LabelField): string {
  return entry[field] ?? "";
}

export function isInBounds(
  filter: EntryFilter,
  log: string,
  entry: { readonly ts: number; readonly seq: number },
): boolean {
  if (entry.ts < filter.from || entry.ts >= filter.to || entry.seq >= filter.beforeSeq) {
    return false;
  }
  if (filter.place === null) return true;
  return compareNewestFirst(filter.place, { ts: entry.ts, seq: entry.seq, log }) < 0;
}

export function matchesLabels(filter: EntryFilter, entry: EntryLabels): boolean {
  for (const [field, value] of filter.exact) if (labelOf(entry, field) !== value) return false;
  return filter.isTool === null || (entry.tool !== "" && filter.isTool(entry.tool));
}
