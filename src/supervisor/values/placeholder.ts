import type { JsonSchema } from "../../model/json/json.ts";

const DEPTH_MAX = 6;
const PROPERTIES_MAX = 100;

/**
 * A value in the shape of a schema, which a dry run returns for a write.
 *
 * A program can read its fields, but the value may break some keywords of the schema.
 */
export function placeholderFor(schema: JsonSchema | null, depth = 0): unknown {
  if (schema === null || typeof schema === "boolean" || depth > DEPTH_MAX) return {};
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  if ("default" in schema) return schema.default;
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const options = schema[keyword];
    if (Array.isArray(options) && options.length > 0) {
      return placeholderFor(options[0] as JsonSchema, depth + 1);
    }
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "string":
      return "planned";
    case "number":
    case "integer":
      return typeof schema.minimum === "number" ? schema.minimum : 0;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return [];
    default:
      return objectPlaceholder(schema, depth);
  }
}

function objectPlaceholder(schema: { readonly [key: string]: unknown }, depth: number): unknown {
  const properties = schema.properties;
  if (typeof properties !== "object" || properties === null) return {};
  const entries = Object.entries(properties).slice(0, PROPERTIES_MAX).map(([name, property]) =>
    [name, placeholderFor(property as JsonSchema, depth + 1)] as const
  );
  return Object.fromEntries(entries);
}
