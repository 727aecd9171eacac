/** How far back a cut goes to keep a group of code points together, such as a family or a flag. */
const GROUP_UNITS_MAX = 64;

/**
 * Returns the beginning of a text, at most `unitsMax` UTF-16 units. It never splits one visible
 * character, such as an emoji of several code points.
 */
export function cutGraphemes(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const from = Math.max(0, unitsMax - GROUP_UNITS_MAX);
  const around = text.slice(from, unitsMax + GROUP_UNITS_MAX);
  const { index = 0 } = SEGMENTER.segment(around).containing(unitsMax - from) ?? {};
  // A longer group is not a visible character: keep only surrogate pairs together.
  if (index > 0 || from === 0) return text.slice(0, from + index);
  return text.slice(0, isPairAt(text, unitsMax) ? unitsMax - 1 : unitsMax);
}

const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });

function isPairAt(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}
