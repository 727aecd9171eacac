import { readCalendarTime } from "../model/calendar_time.ts";
import { usageError } from "./usage_error.ts";

const UNIT_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A span such as `90d`, `15m` or `500ms`, in milliseconds.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` for anything else.
 */
export function parseSpanMs(text: string, option: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  if (match === null) {
    throw usageError(`Option "${option}" is no span: "${text}"`, "Write it as 90d, 12h or 15m");
  }
  return Number(match[1]) * (UNIT_MS[match[2] ?? "ms"] ?? 1);
}

/**
 * A moment: a date, a date and time (UTC unless it says otherwise), or a span ago such as `1h`.
 *
 * @returns milliseconds since the epoch.
 * @throws {GateError} `ERR_BAD_REQUEST` for anything else.
 */
export function parseMoment(text: string, option: string, now: number): number {
  if (/^\d{1,9}(ms|s|m|h|d|w)$/.test(text)) return now - parseSpanMs(text, option);
  const moment = readCalendarTime(text);
  if (moment === null) {
    throw usageError(
      `Option "${option}" is no time: "${text}"`,
      "Write it as 2026-04-01, 2026-04-01T12:00Z, or as a span ago: 1h, 7d",
    );
  }
  return Math.floor(moment);
}
