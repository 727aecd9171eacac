/** Values in which a `bigint` is an integer that a number cannot hold exactly, and their JSON. */

type JsonObject = { readonly [key: string]: unknown };

/** In V8, not yet in TypeScript's library. */
const RAW = JSON as unknown as { rawJSON(text: string): unknown };

/** Writes a `bigint` as a JSON number. */
export function numbersToJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, each) => typeof each === "bigint" ? RAW.rawJSON(String(each)) : each,
  );
}

/** Replaces each `bigint` by a text of its digits. */
export function digitsForBigints(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return mapChanged(value, digitsForBigints);
  return changeEntries(value as JsonObject, (_, each) => digitsForBigints(each));
}

/** Changes each item of a list; returns the same list if nothing changed. */
export function mapChanged(
  list: readonly unknown[],
  change: (item: unknown, index: number) => unknown,
): readonly unknown[] {
  let changed: unknown[] | null = null;
  for (let index = 0; index < list.length; index++) {
    const item = change(list[index], index);
    if (item !== list[index]) changed ??= [...list];
    if (changed !== null) changed[index] = item;
  }
  return changed ?? list;
}

/** Changes each member of an object; returns the same object if nothing changed. */
export function changeEntries(
  object: JsonObject,
  change: (name: string, value: unknown) => unknown,
): JsonObject {
  let isChanged = false;
  const entries = Object.entries(object).map(([name, value]) => {
    const changed = change(name, value);
    if (changed !== value) isChanged = true;
    return [name, changed] as const;
  });
  return isChanged ? Object.fromEntries(entries) : object;
}
