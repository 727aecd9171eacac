/** The members of a JSON object that is not trusted. */
export type Fields = { readonly [name: string]: unknown };

/** Whether a value is an object with members; a list is none. */
export function isFields<Value = unknown>(
  value: unknown,
): value is { readonly [name: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as an object's members; null if it is none, or a list. */
export function asFields(value: unknown): Fields | null {
  return isFields(value) ? value : null;
}
