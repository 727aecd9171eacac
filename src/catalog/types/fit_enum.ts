import type { SchemaObject } from "./resolve_schema.ts";
import { isSchemaObject } from "./resolve_schema.ts";

/**
 * Changes the values of `enum` and `const` to values that the type allows.
 *
 * YAML reads an unquoted `1` in an enum of texts as a number; then the schema would not allow any
 * value.
 *
 * @param out the schema so far; gets `enum` and `const`.
 */
export function fitEnumToType(
  schema: SchemaObject,
  out: { [keyword: string]: unknown },
  note: (text: string) => void,
): void {
  if (schema.const !== undefined) {
    const [fitted = schema.const] = fitValues([schema.const], out.type) ?? [];
    out.const = fitted;
  }
  if (schema.enum === undefined || schema.enum === null) return;
  if (!Array.isArray(schema.enum) || schema.enum.length === 0) {
    note(`"enum" is ${JSON.stringify(schema.enum)?.slice(0, 60)}, which means nothing here`);
    return;
  }
  const fitted = fitValues(schema.enum, out.type);
  if (fitted !== null) {
    out.enum = fitted;
    return;
  }
  const { items } = out;
  if (out.type === "array" && (items === undefined || isSchemaObject(items))) {
    // The author of this schema meant the values of the items.
    if (items?.enum === undefined && items?.$ref === undefined) {
      out.items = { ...items, enum: fitValues(schema.enum, items?.type) ?? schema.enum };
    }
    return;
  }
  note(`no value of "enum" has the type ${JSON.stringify(out.type)}, the type is left out`);
  delete out.type;
  out.enum = schema.enum;
}

/** @returns null if none of the values fits the type. */
function fitValues(values: readonly unknown[], type: unknown): readonly unknown[] | null {
  if (type === undefined) return values;
  const types = [type].flat();
  const fitted = values.flatMap((value) => {
    if (types.some((each) => isOf(value, each))) return [value];
    if (types.includes("string") && (typeof value === "number" || typeof value === "boolean")) {
      return [String(value)];
    }
    if (typeof value !== "string") return [];
    const number = value.trim() === "" ? NaN : Number(value);
    if (types.includes("number") && Number.isFinite(number)) return [number];
    if (types.includes("integer") && Number.isSafeInteger(number)) return [number];
    return types.includes("boolean") && /^(true|false)$/i.test(value)
      ? [value.toLowerCase() === "true"]
      : [];
  });
  return fitted.length === 0 ? null : [...new Set(fitted)];
}

function isOf(value: unknown, type: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isSchemaObject(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
  }
  return typeof value === "boolean";
}
