const DURATION = /^(\d{1,9})(ms|s|m|h|d|w)$/;

const UNIT_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Parses a whole number and a unit: `500ms`, `15m`, `1h`, `90d`, `2w`.
 *
 * @returns milliseconds, or null if the text is not a duration.
 */
export function parseDurationMs(text: string): number | null {
  const [, count, unit = ""] = DURATION.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (UNIT_MS[unit] ?? 1);
}
