import type { LogEntry } from "./store.ts";

/** A place in the order of `scan`: the next page starts after it. */
export interface ScanPlace {
  readonly ts: number;
  readonly log: string;
  readonly seq: number;
}

/** Negative when `a` is newer, so that it comes before `b`. */
export function compareNewestFirst(a: ScanPlace, b: ScanPlace): number {
  if (a.ts !== b.ts) return b.ts - a.ts;
  if (a.log !== b.log) return a.log < b.log ? 1 : -1;
  return b.seq - a.seq;
}

export function formatCursor(entry: LogEntry): string {
  return JSON.stringify([entry.ts, entry.seq, entry.log]);
}

/** @throws {RangeError} if the text is not a cursor. */
export function parseCursor(text: string): ScanPlace {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = null;
  }
  if (Array.isArray(parsed) && parsed.length === 3) {
    const [ts, seq, log] = parsed;
    if (typeof ts === "number" && typeof seq === "number" && typeof log === "string") {
      return { ts, log, seq };
    }
  }
  throw new RangeError(`Cannot read "${text.slice(0, 80)}" as a place in the log`);
}
