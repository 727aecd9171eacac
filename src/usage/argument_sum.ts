import { isFields } from "../model/json/fields.ts";

/** Larger amounts are refused: their millionths would no longer be exact. */
export const AMOUNT_MAX = 9_000_000_000;
/** List items that one sum may read. */
export const ITEMS_MAX = 10_000;

/** Why an argument cannot be summed. An unreadable amount must not count as 0. */
export type AmountProblem =
  /** A part is missing, or is not a finite number of at least 0. */
  | "unreadable"
  /** The sum is above `AMOUNT_MAX`. */
  | "large"
  /** The path leads to more than `ITEMS_MAX` items. */
  | "items";

export type ArgumentSum =
  | { readonly sum: number; readonly problem: null }
  | { readonly sum: null; readonly problem: AmountProblem };

/**
 * The sum over a numeric argument.
 *
 * A list on the path stands for each of its items: `args.payments.amount` sums all payments.
 *
 * @param unit `args.<path>`
 */
export function measureArgument(args: unknown, unit: string): ArgumentSum {
  const path = unit.split(".").slice(1);
  let values: readonly unknown[] = [args];
  for (const name of path) {
    const next: unknown[] = [];
    for (const value of values) {
      if (!isFields(value) || !Object.hasOwn(value, name)) return failed("unreadable");
      const found = value[name];
      if (!Array.isArray(found)) next.push(found);
      else if (next.length + found.length > ITEMS_MAX) return failed("items");
      else next.push(...found);
    }
    values = next;
  }
  let sum = 0;
  for (const value of values) {
    // A 64-bit integer is a bigint here; the check of `AMOUNT_MAX` refuses large ones.
    const amount = typeof value === "bigint" ? Number(value) : value;
    if (typeof amount !== "number" || !(amount >= 0) || amount === Infinity) {
      return failed("unreadable");
    }
    sum += amount;
  }
  return sum <= AMOUNT_MAX ? { sum, problem: null } : failed("large");
}

function failed(problem: AmountProblem): ArgumentSum {
  return { sum: null, problem };
}
