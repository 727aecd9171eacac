import { isSchemaObject } from "./resolve_schema.ts";

export interface ReadTypes {
  /** Types of JSON Schema; an empty list means any type, unless there are schemas. */
  readonly names: readonly string[];
  /** Draft-03 allowed schemas among the names. */
  readonly schemas: readonly unknown[];
}

/** Names of types as Python, Java, Go and JavaScript spell them. */
const SPELLINGS: ReadonlyMap<string, string | null> = new Map([
  ...["string", "number", "integer", "boolean", "object", "array", "null"]
    .map((name) => [name, name] as const),
  ...["str", "text"].map((name) => [name, "string"] as const),
  ...["int", "int32", "int64", "long", "short"].map((name) => [name, "integer"] as const),
  ...["float", "double", "decimal", "num"].map((name) => [name, "number"] as const),
  ["bool", "boolean"],
  ...["dict", "dictionary", "map"].map((name) => [name, "object"] as const),
  ...["list", "tuple", "set"].map((name) => [name, "array"] as const),
  ...["none", "nil"].map((name) => [name, "null"] as const),
  ...["any", "mixed", "unknown", "*"].map((name) => [name, null] as const),
]);
const ANY: ReadTypes = { names: [], schemas: [] };

/**
 * Reads the keyword `type`. With one unknown name the whole keyword means nothing, because that
 * name could allow any value.
 */
export function readTypes(value: unknown, note: (text: string) => void): ReadTypes {
  const parts = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  const names = new Set<string>();
  const schemas: unknown[] = [];
  for (const part of parts) {
    if (isSchemaObject(part)) {
      schemas.push(part);
      continue;
    }
    // Python's None becomes null in a list of types.
    const known = part === null
      ? "null"
      : typeof part === "string"
      ? SPELLINGS.get(part.trim().toLowerCase())
      : undefined;
    if (known === undefined) {
      note(`the type ${JSON.stringify(part)?.slice(0, 60)} is not known, any value is accepted`);
      return ANY;
    }
    if (known === null) return ANY;
    names.add(known);
  }
  return { names: [...names], schemas };
}
