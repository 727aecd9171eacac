import { follow, isSchemaObject, type SchemaObject } from "../../catalog/types/resolve_schema.ts";
import { changeEntries, mapChanged } from "../../model/json/exact_json.ts";
import type { JsonSchema } from "../../model/json/json.ts";
import type { SchemaProblem } from "./validate_json.ts";

/**
 * Reads two kinds of values that JSON cannot express: 64-bit integers and bytes.
 *
 * An integer too large for an exact number travels as its digits. Where the schema says `int64` or
 * `uint64` it becomes a `bigint` here, so that conditions, quotas and the upstream get the exact
 * value. A number that has already lost digits is refused. Bytes travel as `{"$toolgate:bytes":
 * base64}` and become a file where the schema takes one, else the base64 text.
 */
export function readValues(
  schema: JsonSchema,
  args: unknown,
  argsText: string,
): { readonly args: unknown; readonly problems: readonly SchemaProblem[] } {
  const problems: SchemaProblem[] = [];
  const isConcerned = argsText.includes(BYTES_KEY) || hasWideIntegers(schema);
  if (!isConcerned || typeof schema === "boolean") return { args, problems };
  const reading: Reading = { root: schema, problems };
  return { args: read(reading, [schema], args, { path: "", depth: 0 }), problems };
}

/** The key under which a program's bytes travel in JSON. */
export const BYTES_KEY = "$toolgate:bytes";

interface Reading {
  readonly root: SchemaObject;
  readonly problems: SchemaProblem[];
}

/** Where a value stands in the arguments. */
interface Place {
  /** JSON pointer. */
  readonly path: string;
  readonly depth: number;
}

const DEPTH_MAX = 250;
const SCHEMAS_MAX = 64;
const PROBLEMS_MAX = 5;
const BOUNDS: ReadonlyMap<unknown, readonly [bigint, bigint]> = new Map([
  ["int64", [-(2n ** 63n), 2n ** 63n - 1n]],
  ["uint64", [0n, 2n ** 64n - 1n]],
]);

const wide = new WeakMap<object, boolean>();

function hasWideIntegers(schema: JsonSchema): boolean {
  if (typeof schema === "boolean") return false;
  let known = wide.get(schema);
  if (known === undefined) {
    known = /"format":"u?int64"/.test(JSON.stringify(schema));
    wide.set(schema, known);
  }
  return known;
}

function read(
  reading: Reading,
  schemas: readonly unknown[],
  value: unknown,
  { path, depth }: Place,
): unknown {
  if (depth > DEPTH_MAX) return value;
  const flat = flatten(reading.root, schemas);
  if (typeof value === "number" || typeof value === "string") {
    return readInteger(reading, flat, value, path);
  }
  if (Array.isArray(value)) {
    return mapChanged(value, (item, index) => {
      const inner = flat.map(({ prefixItems, items }) =>
        Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items
      );
      return read(reading, inner, item, { path: `${path}/${index}`, depth: depth + 1 });
    });
  }
  if (!isSchemaObject(value)) return value;
  const bytes = value[BYTES_KEY];
  if (typeof bytes === "string" && Object.keys(value).length === 1) {
    return flat.some(takesFile) ? { base64: bytes } : bytes;
  }
  return changeEntries(value, (name, each) => {
    const inner = flat.flatMap((schema) => schemasOf(schema, name));
    const step = name.replaceAll("~", "~0").replaceAll("/", "~1");
    return read(reading, inner, each, { path: `${path}/${step}`, depth: depth + 1 });
  });
}

/** All schemas that apply to one value: references followed, alternatives side by side. */
function flatten(root: SchemaObject, schemas: readonly unknown[]): readonly SchemaObject[] {
  const flat: SchemaObject[] = [];
  const open = [...schemas];
  for (let index = 0; index < open.length && flat.length < SCHEMAS_MAX; index++) {
    const schema = open[index];
    if (!isSchemaObject(schema)) continue;
    const resolved = typeof schema.$ref === "string" ? follow(root, schema, []).schema : schema;
    if (!isSchemaObject(resolved)) continue;
    flat.push(resolved);
    for (const list of [resolved.allOf, resolved.anyOf, resolved.oneOf]) {
      if (Array.isArray(list)) open.push(...list.slice(0, SCHEMAS_MAX));
    }
  }
  return flat;
}

function schemasOf(schema: SchemaObject, name: string): readonly unknown[] {
  const { properties, patternProperties, additionalProperties } = schema;
  if (isSchemaObject(properties) && Object.hasOwn(properties, name)) return [properties[name]];
  // Patterns are not run here: a name gets the schemas of all patterns that it may match.
  const patterns = isSchemaObject(patternProperties) ? Object.values(patternProperties) : [];
  return [...patterns, additionalProperties];
}

/** Whether the schema is toolgate's own for files, see `FILE_SCHEMA` of OpenAPI bodies. */
function takesFile({ properties, required }: SchemaObject): boolean {
  return isSchemaObject(properties) && properties.base64 !== undefined &&
    Array.isArray(required) && required.includes("base64");
}

function readInteger(
  { problems }: Reading,
  flat: readonly SchemaObject[],
  value: number | string,
  path: string,
): unknown {
  const schema = flat.find(isWideInteger);
  if (schema === undefined) return value;
  const takesText = flat.some((each) =>
    !isWideInteger(each) && [each.type].flat().includes("string")
  );
  if (typeof value === "string" && takesText) return value;
  const refuse = (message: string) => {
    if (problems.length < PROBLEMS_MAX) problems.push({ path, message });
    return value;
  };
  if (typeof value === "number") {
    return !Number.isInteger(value) || Number.isSafeInteger(value) ? value : refuse(
      `${value} is beyond what a number holds exactly; give the digits as a text or a BigInt`,
    );
  }
  if (!/^[+-]?\d{1,40}$/.test(value)) {
    return refuse(`${JSON.stringify(value.slice(0, 40))} is not an integer`);
  }
  const integer = BigInt(value.replace(/^\+/, ""));
  const problem = boundProblem(schema, integer);
  if (problem !== null) return refuse(problem);
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** Whether digits may become a `bigint`: only where the schema allows a string and an integer. */
function isWideInteger({ format, type }: SchemaObject): boolean {
  return BOUNDS.has(format) && Array.isArray(type) && type.includes("integer") &&
    type.includes("string");
}

/** Checks the bounds of a `bigint`, because JSON Schema validation compares only numbers. */
function boundProblem(schema: SchemaObject, value: bigint): string | null {
  const [lowest, highest] = BOUNDS.get(schema.format) ?? [value, value];
  if (value < lowest || value > highest) return `${value} is not in the range of ${schema.format}`;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === "number" && value < minimum) return `${value} must be ${minimum} or more`;
  if (typeof maximum === "number" && value > maximum) return `${value} must be ${maximum} or less`;
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum) {
    return `${value} must be greater than ${exclusiveMinimum}`;
  }
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum) {
    return `${value} must be less than ${exclusiveMaximum}`;
  }
  const isMultiple = typeof multipleOf !== "number" || !Number.isSafeInteger(multipleOf) ||
    value % BigInt(multipleOf) === 0n;
  return isMultiple ? null : `${value} must be a multiple of ${multipleOf}`;
}
