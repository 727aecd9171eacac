/** One configured sink and the status of its deliveries. */
import type { LogLevel } from "../../model/log.ts";
import { parseDurationMs } from "../../model/time/duration.ts";
import { nameOfSink } from "./create_sink.ts";
import { type Backlog, type ShipConfig, sinkId } from "./place.ts";
import type { Delivery } from "./ship_chain.ts";
import type { Sink } from "./sink.ts";

const DAY_MS = 86_400_000;
/** Records that one line of the service's log names. */
const NAMED_MAX = 10;

type Log = (level: LogLevel, message: string) => void;

export interface SinkStatus {
  /** Path of the sink in the configuration: `audit.ship[0]`. */
  readonly sink: string;
  /** Address without credentials. */
  readonly to: string;
  readonly format: string;
  /** Why the last delivery failed; null if it did not. */
  readonly error: string | null;
  /** Failed tries in a row. */
  readonly failures: number;
  /** Records that wait. */
  readonly behind: number;
  /** Age of the oldest record that waits; null if none does. */
  readonly oldestSeconds: number | null;
  /** Records sent without their texts since the start, because the sink refused them whole. */
  readonly reduced: number;
  /** Records that the sink refused in any form since the start, while it took others. */
  readonly passedOver: number;
  /** An alarm: records wait for longer than the retention, so the store grows. */
  readonly isLate: boolean;
}

export interface ShipLine extends Delivery {
  readonly name: string;
  readonly to: string;
  readonly everyMs: number;
  error: string | null;
  failures: number;
  backlog: Backlog;
  reduced: number;
  passedOver: number;
  isLate: boolean;
}

export function createShipLine(config: ShipConfig[number], index: number, sink: Sink): ShipLine {
  return {
    id: sinkId(config),
    name: `audit.ship[${index}]`,
    to: nameOfSink(config),
    config,
    sink,
    everyMs: pauseMsOf(config.every),
    bytesMax: config.batchBytesMax,
    mayGrow: true,
    successes: 0,
    broken: new Map(),
    reducedNow: [],
    passedOverNow: [],
    error: null,
    failures: 0,
    backlog: { records: 0, oldestTs: null },
    reduced: 0,
    passedOver: 0,
    isLate: false,
  };
}

export function statusOf(line: ShipLine, now: number): SinkStatus {
  const { records, oldestTs } = line.backlog;
  return {
    sink: line.name,
    to: line.to,
    format: line.config.format,
    error: line.error,
    failures: line.failures,
    behind: records,
    oldestSeconds: oldestTs === null ? null : Math.max(0, Math.round((now - oldestTs) / 1_000)),
    reduced: line.reduced,
    passedOver: line.passedOver,
    isLate: line.isLate,
  };
}

/** Clears the failure: another replica ships to this sink and reports its status. */
export function noteElsewhere(line: ShipLine): void {
  line.error = null;
  line.failures = 0;
}

export function noteSuccess(line: ShipLine, log: Log): void {
  if (line.error !== null) {
    const tries = line.failures === 1 ? "one failed try" : `${line.failures} failed tries`;
    log("info", `audit: ships to ${line.to} again, after ${tries}`);
  }
  line.error = null;
  line.failures = 0;
}

export function noteFailure(line: ShipLine, reason: string, log: Log): void {
  if (line.error !== reason) log("warn", `audit: cannot ship to ${line.to}: ${reason}`);
  line.error = reason;
  line.failures++;
}

/** Counts and logs the records of a round that were reduced or passed over. */
export function noteChangedRecords(line: ShipLine, log: Log): void {
  const reduced = line.reducedNow.splice(0);
  if (reduced.length > 0) {
    line.reduced += reduced.length;
    const why = "does not take them whole, so they went without their texts";
    log("warn", `audit: ${line.to} ${why}: records ${listRecords(reduced)}`);
  }
  const passedOver = line.passedOverNow.splice(0);
  if (passedOver.length > 0) {
    line.passedOver += passedOver.length;
    const why = "takes others and not these, so it went on without them";
    const list = listRecords(passedOver);
    log("error", `audit: ${line.to} ${why}: records ${list}; the log has them`);
  }
}

/** Logs once when the backlog becomes older than the retention, and once when that ends. */
export function noteBacklog(
  line: ShipLine,
  backlog: Backlog,
  deps: { readonly now: () => number; readonly retentionMs: number; readonly log: Log },
): void {
  const { now, retentionMs, log } = deps;
  line.backlog = backlog;
  const { records, oldestTs } = backlog;
  const isLate = oldestTs !== null && now() - oldestTs > retentionMs;
  if (isLate === line.isLate) return;
  line.isLate = isLate;
  if (!isLate) {
    return log("info", `audit: ${line.to} is no longer behind by more than retentionDays`);
  }
  const days = Math.round(retentionMs / DAY_MS * 100) / 100;
  const since = new Date(oldestTs).toISOString();
  const reason = line.error === null ? "" : `. Last reason: ${line.error}`;
  log(
    "error",
    `audit: ${line.to} is behind by more than retentionDays (${days}): ${records} records wait, ` +
      `the oldest since ${since}; the store grows until they are shipped, or ${line.name} is ` +
      `removed from the configuration${reason}`,
  );
}

function listRecords(records: readonly string[]): string {
  const more = records.length > NAMED_MAX ? ` and ${records.length - NAMED_MAX} more` : "";
  return `${records.slice(0, NAMED_MAX).join(", ")}${more}`;
}

/** A timer holds 31 bits of milliseconds. */
function pauseMsOf(every: string): number {
  return Math.min(2 ** 31 - 1, Math.max(100, parseDurationMs(every) ?? 60_000));
}
