/**
 * Reads a JSON Schema that is not trusted: only its own `#/` references, never a file or the
 * network, and with bounds against cycles and fan-out.
 *
 * @see JSON Schema 2020-12, sections 8.2 and 10
 */
import { isFields } from "../../model/json/fields.ts";

export type SchemaObject = { readonly [keyword: string]: unknown };

const REFERENCES_MAX = 32;

export function isSchemaObject(value: unknown): value is SchemaObject {
  return isFields(value);
}

/**
 * Follows a local JSON pointer.
 *
 * @returns null if the target does not exist or is outside of the document.
 * @see RFC 6901
 */
export function resolvePointer(root: unknown, reference: string): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/") || reference.length > 1_000) return null;
  let place: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const key = decodePointerPart(part);
    if (key === null || typeof place !== "object" || place === null) return null;
    if (!Object.hasOwn(place, key)) return null;
    place = (place as SchemaObject)[key];
  }
  return place;
}

function decodePointerPart(part: string): string | null {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return null;
  }
}

/** Where a reference leads. */
export interface Resolved {
  /** Null if the reference leads nowhere. */
  readonly schema: unknown;
  /** References followed on the way here from the root. */
  readonly path: readonly string[];
  readonly recursive: boolean;
}

/**
 * Follows `$ref` until a schema has none. A reference that is already on the path is a recursion.
 */
export function follow(root: unknown, schema: SchemaObject, path: readonly string[]): Resolved {
  let current: unknown = schema;
  let trail = path;
  for (let hops = 0; hops < REFERENCES_MAX; hops++) {
    if (!isSchemaObject(current) || typeof current.$ref !== "string") {
      return { schema: current, path: trail, recursive: false };
    }
    const reference = current.$ref;
    if (trail.includes(reference)) return { schema: null, path: trail, recursive: true };
    trail = [...trail, reference];
    const target = resolvePointer(root, reference);
    const rest = withoutKeys(current, ["$ref"]);
    current = isSchemaObject(target) && saysMoreThan(rest, target)
      ? { allOf: [target, rest] }
      : keepNullable(target, current);
  }
  return { schema: null, path: trail, recursive: true };
}

/** OpenAPI 3.0 writes `nullable` beside a reference. */
function keepNullable(target: unknown, from: SchemaObject): unknown {
  return from.nullable === true && isSchemaObject(target) ? { ...target, nullable: true } : target;
}

const STRUCTURE = [
  "type",
  "properties",
  "required",
  "items",
  "prefixItems",
  "additionalProperties",
  "allOf",
  "anyOf",
  "oneOf",
  "enum",
  "const",
];

/** Whether a schema says anything about the form of a value. */
export function hasStructure(schema: SchemaObject): boolean {
  return STRUCTURE.some((key) => schema[key] !== undefined);
}

/** Whether a schema says something about the form of a value that `other` does not say. */
function saysMoreThan(schema: SchemaObject, other: SchemaObject): boolean {
  return STRUCTURE.some((key) => schema[key] !== undefined && schema[key] !== other[key]);
}

export function withoutKeys(schema: SchemaObject, keys: readonly string[]): SchemaObject {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

const MERGE_DEPTH_MAX = 8;

/**
 * One object schema with the meaning of all of them; null if they cannot be written as one.
 *
 * Bounds and formats are dropped: a printed type does not have them.
 */
export function mergeSchemas(
  root: unknown,
  schemas: readonly unknown[],
  path: readonly string[],
  depth = 0,
): { readonly schema: SchemaObject; readonly path: readonly string[] } | null {
  if (depth > MERGE_DEPTH_MAX) return null;
  const properties: Record<string, unknown> = Object.create(null);
  const required = new Set<unknown>();
  const merged: { [keyword: string]: unknown } = { type: "object" };
  let trail = path;
  let nullable = false;
  let isObject = false;
  for (const part of schemas) {
    if (part === true) continue;
    if (!isSchemaObject(part)) return null;
    const resolved = follow(root, part, path);
    if (!isSchemaObject(resolved.schema)) return null;
    trail = [...new Set([...trail, ...resolved.path])];
    let schema = resolved.schema;
    if (Array.isArray(schema.allOf)) {
      const rest = withoutKeys(schema, ["allOf"]);
      const inner = mergeSchemas(root, [...schema.allOf, rest], resolved.path, depth + 1);
      if (inner === null) return null;
      schema = inner.schema;
      trail = [...new Set([...trail, ...inner.path])];
    }
    if (!isObjectLike(schema)) return null;
    if (schema.type === "object" || schema.properties !== undefined) isObject = true;
    if (schema.nullable === true) nullable = true;
    for (const [name, value] of Object.entries(schema.properties ?? {})) {
      properties[name] = name in properties ? both(properties[name], value) : value;
    }
    for (const name of Array.isArray(schema.required) ? schema.required : []) required.add(name);
    for (const key of ["additionalProperties", "description", "anyOf", "oneOf"]) {
      if (schema[key] === undefined) continue;
      // Two lists of alternatives that must both hold have no short form.
      if (merged[key] !== undefined && (key === "anyOf" || key === "oneOf")) return null;
      merged[key] = schema[key];
    }
  }
  // Without an object among them, the alternatives may be of any type.
  if (!isObject) return null;
  return {
    schema: {
      ...merged,
      properties,
      required: [...required],
      ...(nullable ? { nullable } : {}),
    },
    path: trail,
  };
}

function isObjectLike(schema: SchemaObject): boolean {
  if (schema.enum !== undefined || schema.const !== undefined) return false;
  return schema.type === undefined ? schema.items === undefined : schema.type === "object";
}

function both(first: unknown, second: unknown): unknown {
  if (!isSchemaObject(first) || !hasStructure(first)) return second;
  if (!isSchemaObject(second) || !hasStructure(second)) return first;
  return JSON.stringify(first) === JSON.stringify(second) ? first : { allOf: [first, second] };
}

const ALTERNATIVES_MAX = 64;

/**
 * One object that takes every value of several: a property is required if all of them require it,
 * and properties that differ become unions. This is less exact than the alternatives, and much
 * shorter.
 *
 * @returns null if one of them is not an object with properties.
 */
export function mergeAlternatives(
  root: unknown,
  branches: readonly unknown[],
  path: readonly string[],
): { readonly schema: SchemaObject; readonly path: readonly string[] } | null {
  if (branches.length > ALTERNATIVES_MAX) return null;
  const variants = new Map<string, Map<string, unknown>>();
  let required: Set<unknown> | null = null;
  let isOpen = false;
  let trail = path;
  for (const branch of branches) {
    const merged = mergeSchemas(root, [branch], path);
    if (merged === null || merged.schema.anyOf !== undefined || merged.schema.oneOf !== undefined) {
      return null;
    }
    const { properties, additionalProperties } = merged.schema;
    if (!isSchemaObject(properties) || Object.keys(properties).length === 0) return null;
    if (merged.schema.nullable === true) return null;
    isOpen ||= additionalProperties === true || isSchemaObject(additionalProperties);
    trail = [...new Set([...trail, ...merged.path])];
    for (const [name, value] of Object.entries(properties)) {
      const known = variants.get(name) ?? new Map<string, unknown>();
      variants.set(name, known.set(JSON.stringify(stripDocs(value)), value));
    }
    const own = new Set(Array.isArray(merged.schema.required) ? merged.schema.required : []);
    required = required === null ? own : required.intersection(own);
  }
  const properties = Object.fromEntries([...variants].map(([name, values]) => {
    const list = [...values.values()];
    return [name, list.length === 1 ? list[0] : joinValues(list)];
  }));
  return {
    schema: {
      type: "object",
      properties,
      required: [...required ?? []],
      ...(isOpen ? { additionalProperties: true } : {}),
    },
    path: trail,
  };
}

/** `{const: "a"}` and `{enum: ["b"]}` to one enum, anything else to a union. */
function joinValues(list: readonly unknown[]): SchemaObject {
  const values = list.map((schema) => {
    if (!isSchemaObject(schema)) return null;
    if (schema.const !== undefined) return [schema.const];
    return Array.isArray(schema.enum) ? schema.enum : null;
  });
  return values.every((value) => value !== null)
    ? { enum: [...new Set(values.flat())] }
    : { anyOf: list };
}

function stripDocs(schema: unknown): unknown {
  return isSchemaObject(schema)
    ? withoutKeys(schema, ["description", "title", "examples"])
    : schema;
}
