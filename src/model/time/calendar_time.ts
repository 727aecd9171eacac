const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** A moment: whole milliseconds since the epoch, plus nanoseconds (0 to 999,999). */
export interface CalendarTime {
  readonly ms: number;
  readonly ns: number;
}

/**
 * Reads a date, or a date and time; without a zone it is UTC. `Date.parse` would read 30 February
 * as 2 March, and hour 24 as the next day.
 *
 * @returns milliseconds since the epoch, smaller units as a fraction; null if the text is not a
 * time of the calendar.
 * @see RFC 3339, 5.6 and 5.7
 */
export function readCalendarTime(text: string): number | null {
  const time = readTime(text);
  return time === null ? null : time.ms + time.ns / 1_000_000;
}

/** Reads a full timestamp: date, time and zone. */
export function readTimestamp(text: string): CalendarTime | null {
  return RFC_3339.test(text) ? readTime(text) : null;
}

function readTime(text: string): CalendarTime | null {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const number = (index: number) => Number(parts[index] ?? 0);
  const [year, month, day] = [number(1), number(2), number(3)];
  const [hour, minute, second] = [number(4), number(5), number(6)];
  const [zoneHour, zoneMinute] = [number(10), number(11)];
  const isReal = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month) &&
    hour <= 23 && minute <= 59 && second <= 59 && zoneHour <= 23 && zoneMinute <= 59;
  if (!isReal) return null;
  const date = new Date(0);
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const zoneMs = (parts[9] === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute) * 60_000;
  const fraction = (parts[7] ?? "").padEnd(9, "0");
  return {
    ms: date.getTime() - zoneMs + Number(fraction.slice(0, 3)),
    ns: Number(fraction.slice(3)),
  };
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
