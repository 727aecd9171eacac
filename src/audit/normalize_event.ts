import { cutGraphemes } from "../model/cut_graphemes.ts";
import type { AuditEvent } from "../model/event.ts";
import { canonicalJson } from "../model/json/canonical_json.ts";
import { RECORD_BYTES_MAX } from "./audit_record.ts";

/** Room for the members that the log adds to an event: chain, number, time, link. */
const OVERHEAD_BYTES = 512;
const EVENT_BYTES_MAX = RECORD_BYTES_MAX - OVERHEAD_BYTES;
const DEPTH_MAX = 32;

/** Bounds for an oversized event, tried in this order. */
const CUTS = [
  { charactersMax: 2_000, itemsMax: 100 },
  { charactersMax: 300, itemsMax: 20 },
  { charactersMax: 60, itemsMax: 5 },
] as const;

/**
 * An event that has a canonical form within the bounds of a record.
 *
 * Lone surrogates in text from callers and upstreams become U+FFFD. A number that JSON lacks
 * becomes null. An event that is too large loses the ends of its long texts and lists, and
 * `detail.cut` is set; the log never drops its record.
 */
export function normalizeEvent(event: AuditEvent): AuditEvent {
  // A rough measure first avoids serializing a huge event.
  if (measure(event, EVENT_BYTES_MAX) >= 0) {
    const { whole, line } = wellFormed(event);
    if (fits(line)) return whole;
  }
  for (const bounds of CUTS) {
    const shorter = cut(event, bounds, 0) as AuditEvent;
    const marked = { ...shorter, detail: { ...shorter.detail, cut: true } };
    if (fits(canonicalJson(marked))) return marked;
  }
  return { kind: event.kind, detail: { cut: true } };
}

function wellFormed(event: AuditEvent): { whole: AuditEvent; line: string } {
  try {
    return { whole: event, line: canonicalJson(event) };
  } catch {
    const whole = cut(event, { charactersMax: Infinity, itemsMax: Infinity }, 0) as AuditEvent;
    return { whole, line: canonicalJson(whole) };
  }
}

/** The rest of a budget of characters; negative once the value exceeds the budget. */
function measure(value: unknown, budget: number): number {
  if (typeof value === "string") return budget - value.length;
  if (typeof value !== "object" || value === null) return budget - 1;
  let left = budget;
  for (const [key, member] of Object.entries(value)) {
    left = measure(member, left - 1 - (Array.isArray(value) ? 0 : key.length));
    if (left < 0) break;
  }
  return left;
}

function fits(line: string): boolean {
  // A UTF-16 unit is at most three bytes: the exact size is needed only near the bound.
  return line.length * 3 <= EVENT_BYTES_MAX || Buffer.byteLength(line) <= EVENT_BYTES_MAX;
}

function cut(
  value: unknown,
  bounds: { readonly charactersMax: number; readonly itemsMax: number },
  depth: number,
): unknown {
  if (typeof value === "string") {
    const whole = value.toWellFormed();
    return whole.length <= bounds.charactersMax
      ? whole
      : `${cutGraphemes(whole, bounds.charactersMax)}…`;
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean" || value === null || value === undefined) return value;
  if (typeof value !== "object" || depth > DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    return value.slice(0, bounds.itemsMax).map((item) => cut(item, bounds, depth + 1));
  }
  const members = Object.entries(value).slice(0, depth === 0 ? Infinity : bounds.itemsMax);
  return Object.fromEntries(
    members.map(([key, member]) => [
      cut(key, bounds, depth) as string,
      cut(member, bounds, depth + 1),
    ]),
  );
}
