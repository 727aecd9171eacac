/** Larger amounts are refused: their millionths would no longer be exact. */
const AMOUNT_MAX = 9_000_000_000;
/** Items of lists on the way that are looked at. */
const ITEMS_MAX = 10_000;

/**
 * The sum over a numeric argument.
 *
 * A list on the way stands for each of its items: `args.payments.amount` sums all payments.
 *
 * @param unit `args.<path>`
 * @returns null if any part is missing, no number, negative, not finite or too large: an amount that
 * nobody can read must not pass as nothing.
 */
export function measureArgument(args: unknown, unit: string): number | null {
  const path = unit.split(".").slice(1);
  let values: readonly unknown[] = [args];
  for (const name of path) {
    const next: unknown[] = [];
    for (const value of values) {
      if (!isObject(value) || !Object.hasOwn(value, name)) return null;
      const found = value[name];
      if (Array.isArray(found)) {
        if (next.length + found.length > ITEMS_MAX) return null;
        next.push(...found);
      } else {
        next.push(found);
      }
    }
    values = next;
  }
  let sum = 0;
  for (const value of values) {
    if (typeof value !== "number" || !(value >= 0) || value > AMOUNT_MAX) return null;
    sum += value;
  }
  return sum <= AMOUNT_MAX ? sum : null;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
