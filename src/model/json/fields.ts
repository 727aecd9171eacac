/** The members of a JSON object that is not trusted. */
export type Fields = { readonly [name: string]: unknown };

/** True if a value is an object but not a list. */
export function isFields<Value = unknown>(
  value: unknown,
): value is { readonly [name: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value as an object; null if it is not an object, or is a list. */
export function asFields(value: unknown): Fields | null {
  return isFields(value) ? value : null;
}
