import { createUsageSums, type UsageBy, type UsageFigures, type UsageSums } from "./usage_row.ts";

/** The rows of a measurement: everything, each group, each day. */
export interface UsageTable {
  /** The sums to which a fact at this time belongs: everything, the day, then each group. */
  sumsOf(groups: readonly string[], ms: number): UsageSums[];
  /** The figures of all rows; every day of the period has one. */
  usage(): {
    readonly total: UsageFigures;
    readonly rows: readonly UsageFigures[];
    readonly days: readonly UsageFigures[];
  };
}

export interface UsageTableOptions {
  readonly by: UsageBy;
  readonly since: number;
  readonly until: number;
  readonly usdPerMillionTokens: number;
  /** Groups with their own figures; the rest are counted together as `OTHER_GROUPS`. */
  readonly groupsMax?: number;
}

export const OTHER_GROUPS = "(others)";
/** The first entries of `sumsOf` that do not belong to a group: everything and the day. */
export const SHARED_SUMS = 2;

const GROUPS_MAX = 2_000;
const DAYS_MAX = 1_000;
const DAY_MS = 86_400_000;

export function createUsageTable(options: UsageTableOptions): UsageTable {
  const { by, since, until, usdPerMillionTokens, groupsMax = GROUPS_MAX } = options;
  const total = createUsageSums();
  const groups = new Map<string, UsageSums>();
  const days = new Map<string, UsageSums>();
  const figuresOf = ([key, sums]: [string, UsageSums]) => sums.figures(key, usdPerMillionTokens);
  return {
    sumsOf(keys, ms) {
      const ofDay = rowOf(days, dayOf(ms), DAYS_MAX);
      if (by === "day") return [total, ofDay];
      return [total, ofDay, ...keys.map((key) => rowOf(groups, key, groupsMax))];
    },
    usage() {
      fillDays(days, since, until);
      const ofDays = [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(figuresOf);
      return {
        total: total.figures("", usdPerMillionTokens),
        rows: by === "day" ? ofDays : [...groups].map(figuresOf).toSorted(byImportance),
        days: ofDays,
      };
    },
  };
}

function rowOf(rows: Map<string, UsageSums>, wanted: string, max: number): UsageSums {
  const key = rows.has(wanted) || rows.size < max ? wanted : OTHER_GROUPS;
  let row = rows.get(key);
  if (row === undefined) {
    row = createUsageSums();
    rows.set(key, row);
  }
  return row;
}

/** Adds a row for each day without a record. */
function fillDays(days: Map<string, UsageSums>, since: number, until: number): void {
  const last = Math.max(since, until - 1);
  const first = Math.max(since, last - (DAYS_MAX - 1) * DAY_MS);
  for (let ms = first; ms <= last; ms += DAY_MS) rowOf(days, dayOf(ms), DAYS_MAX);
  rowOf(days, dayOf(last), DAYS_MAX);
}

/** The last day that was rendered: records of one day come together. */
let dayNumber = NaN;
let dayText = "";

function dayOf(ms: number): string {
  const number = Math.floor(ms / DAY_MS);
  if (number !== dayNumber) {
    dayNumber = number;
    dayText = new Date(number * DAY_MS).toISOString().slice(0, 10);
  }
  return dayText;
}

function byImportance(a: UsageFigures, b: UsageFigures): number {
  return b.costUsd - a.costUsd || b.calls - a.calls || b.executions - a.executions ||
    (a.key < b.key ? -1 : 1);
}
