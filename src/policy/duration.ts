/** Durations as the policy file writes them: a whole number and a unit. */
export const DURATION_PATTERN = /^([1-9]\d{0,8})(ms|s|m|h|d|w)$/;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/**
 * Parses `15m`, `1h`, `1d`.
 *
 * @returns milliseconds, or null if the text is no duration.
 */
export function parseDurationMs(text: string): number | null {
  const [, count, unit] = DURATION_PATTERN.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit ?? "");
  return unitMs === undefined ? null : Number(count) * unitMs;
}
