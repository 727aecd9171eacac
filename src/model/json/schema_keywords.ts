/**
 * Keywords whose value is one schema. `items` is not among them: before 2020 its value could be a list.
 *
 * @see JSON Schema 2020-12 Core, 10.3
 */
export const SCHEMA_KEYWORDS: readonly string[] = [
  "additionalProperties",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "unevaluatedProperties",
  "unevaluatedItems",
];

/** Keywords whose value is a list of schemas. */
export const SCHEMA_LIST_KEYWORDS: readonly string[] = ["allOf", "anyOf", "oneOf", "prefixItems"];
