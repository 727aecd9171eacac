import { readCalendarTime } from "../model/time/calendar_time.ts";
import { parseDurationMs } from "../model/time/duration.ts";
import { usageError } from "./usage_error.ts";

/**
 * A span such as `90d`, `15m` or `500ms`, in milliseconds.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` for anything else.
 */
export function parseSpanMs(text: string, option: string): number {
  const spanMs = parseDurationMs(text);
  if (spanMs === null) {
    throw usageError(`Option "${option}" is not a span: "${text}"`, "Write it as 90d, 12h or 15m");
  }
  return spanMs;
}

/**
 * A moment: a date, a date and time (UTC unless it says otherwise), or a span ago such as `1h`.
 *
 * @returns milliseconds since the epoch.
 * @throws {GateError} `ERR_BAD_REQUEST` for anything else.
 */
export function parseMoment(text: string, option: string, now: number): number {
  const agoMs = parseDurationMs(text);
  if (agoMs !== null) return now - agoMs;
  const moment = readCalendarTime(text);
  if (moment === null) {
    throw usageError(
      `Option "${option}" is not a time: "${text}"`,
      "Write it as 2026-04-01, 2026-04-01T12:00Z, or as a span ago: 1h, 7d",
    );
  }
  return Math.floor(moment);
}
