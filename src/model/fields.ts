/** The members of a JSON object that is not trusted. */
export type Fields = { readonly [name: string]: unknown };

/** A value as an object's members; null if it is none, or a list. */
export function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Fields
    : null;
}
