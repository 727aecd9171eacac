import { withinMs } from "../model/time/within_ms.ts";
import type { UsageQuestion } from "../operations/usage.ts";
import type { Usage } from "../usage/kpi.ts";
import { type UsageForm, usageRange } from "./usage_form.ts";

/** A report and its moment. */
export interface CountedUsage {
  readonly report: Usage;
  /** Milliseconds since the epoch. */
  readonly asOfMs: number;
  /** How long the report counts as fresh. */
  readonly freshMs: number;
}

/**
 * Counts reports in the background.
 *
 * A count reads every record of a period. A page never waits for a long count: it shows the last
 * report, or says that the count is still running. Only one count runs at a time, and counts of one
 * report take at most a twentieth of the time.
 */
export interface UsageCache {
  /** Null: the count is still running; ask again. */
  peek(form: UsageForm): Promise<CountedUsage | null>;
  /** Waits for the whole count. */
  get(form: UsageForm): Promise<CountedUsage>;
}

export interface UsageCacheDeps {
  readonly usage: (question: Required<UsageQuestion>) => Promise<Usage>;
  readonly now: () => number;
  /** How long `peek` waits for a count without an earlier report. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 150;
const FRESH_MS = 60_000;
const REST_FACTOR = 20;
/** Enough for each combination of period and group. */
const REPORTS_MAX = 24;

interface Entry {
  counted: CountedUsage | null;
  counting: Promise<CountedUsage> | null;
}

export function createUsageCache(deps: UsageCacheDeps): UsageCache {
  const { usage, now, patienceMs = PATIENCE_MS } = deps;
  const entries = new Map<string, Entry>();
  let last: Promise<unknown> = Promise.resolve();

  function entryOf(form: UsageForm): Entry {
    const key = JSON.stringify([form.period, form.by]);
    const known = entries.get(key);
    if (known !== undefined) return known;
    if (entries.size >= REPORTS_MAX) entries.clear();
    const entry: Entry = { counted: null, counting: null };
    entries.set(key, entry);
    return entry;
  }

  function count(form: UsageForm, entry: Entry): Promise<CountedUsage> {
    if (entry.counting !== null) return entry.counting;
    const run = async (): Promise<CountedUsage> => {
      const asOfMs = now();
      const report = await usage({ by: form.by, ...usageRange(form.period, asOfMs) });
      const freshMs = Math.max(FRESH_MS, REST_FACTOR * (now() - asOfMs));
      return entry.counted = { report, asOfMs, freshMs };
    };
    const counting = last.then(run, run).finally(() => entry.counting = null);
    last = entry.counting = counting;
    return counting;
  }

  function isFresh({ counted }: Entry): boolean {
    return counted !== null && now() - counted.asOfMs < counted.freshMs &&
      dayOf(counted.asOfMs) === dayOf(now());
  }

  return {
    async peek(form) {
      const entry = entryOf(form);
      if (isFresh(entry)) return entry.counted;
      const counting = count(form, entry);
      if (entry.counted !== null && dayOf(entry.counted.asOfMs) === dayOf(now())) {
        counting.catch(() => {}); // the page shows the old report; the next page asks again
        return entry.counted;
      }
      return await withinMs(counting, patienceMs);
    },
    async get(form) {
      const entry = entryOf(form);
      return isFresh(entry) && entry.counted !== null ? entry.counted : await count(form, entry);
    },
  };
}

function dayOf(ms: number): number {
  return Math.floor(ms / 86_400_000);
}
