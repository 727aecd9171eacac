import type { JsonSchema } from "../../model/json.ts";
import {
  BrokenReferenceError,
  isNode,
  lookUpPointer,
  type Node,
  type OpenapiDocument,
} from "./document.ts";

/** What a schema describes: what is sent leaves out read-only parts, what comes back write-only ones. */
export type Side = "input" | "output";

/** Turns schemas of a document into JSON Schema 2020-12. */
export interface SchemaConverter {
  /** One schema. References become `#/$defs/<name>`, to be added by `complete`. */
  convert(schema: unknown, side: Side): JsonSchema;
  /**
   * Adds the definitions that a schema refers to, nearest first, up to `bytesMax` bytes of JSON. What
   * does not fit stays open: it accepts anything.
   */
  complete(schema: JsonSchema, side: Side, bytesMax: number): JsonSchema;
}

interface Definition {
  readonly schema: JsonSchema;
  readonly bytes: number;
  /** Names of the definitions it refers to. */
  readonly uses: readonly string[];
}

const DEPTH_MAX = 48;
const DESCRIPTION_CHARS_MAX = 1_000;
const PATTERN_CHARS_MAX = 300;
const TYPES = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);
const OPEN: JsonSchema = { description: "Not described here, any value" };

/** Keywords that are copied as they are; whatever is not named anywhere is left out. */
const COPIED = [
  "enum",
  "const",
  "default",
  "format",
  "minimum",
  "maximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
  "deprecated",
  "contentEncoding",
  "contentMediaType",
  "dependentRequired",
  "minContains",
  "maxContains",
];
const ONE_SCHEMA = [
  "items",
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
const LIST_OF_SCHEMAS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMAS_BY_NAME = ["patternProperties", "dependentSchemas"];

export function createSchemaConverter(document: OpenapiDocument): SchemaConverter {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const pointers = new Map<string, string>();
  const definitions = {
    input: new Map<string, Definition>(),
    output: new Map<string, Definition>(),
  };

  const nameOf = (pointer: string): string => {
    const known = names.get(pointer);
    if (known !== undefined) return known;
    const last = pointer.split("/").at(-1) ?? "";
    const base = last.replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 80) || "schema";
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
    taken.add(name);
    names.set(pointer, name);
    pointers.set(name, pointer);
    return name;
  };
  const reference = (pointer: string, siblings: Node): JsonSchema => {
    if (!leadsSomewhere(document, pointer)) return OPEN;
    const description = describe(siblings);
    return { $ref: `#/$defs/${nameOf(pointer)}`, ...description };
  };
  const convert = (schema: unknown, side: Side, depth: number): JsonSchema => {
    if (typeof schema === "boolean") return schema;
    if (!isNode(schema) || depth > DEPTH_MAX) return OPEN;
    if (typeof schema.$ref === "string") {
      const target = reference(schema.$ref, schema);
      return document.version === "3.1" || schema.nullable !== true ? target : orNull(target);
    }
    const converted = convertKeywords(schema, (inner) => convert(inner, side, depth + 1));
    const properties = convertProperties(schema, side, (inner) => convert(inner, side, depth + 1));
    const whole = {
      ...converted,
      ...properties,
      ...(isBaseOfOthers(schema) ? { additionalProperties: true } : {}),
    };
    return schema.nullable === true && document.version !== "3.1" ? orNull(whole) : whole;
  };
  const define = (name: string, side: Side): Definition => {
    const known = definitions[side].get(name);
    if (known !== undefined) return known;
    const schema = convert(lookUpPointer(document, pointers.get(name) ?? ""), side, 0);
    const text = JSON.stringify(schema);
    const definition = { schema, bytes: text.length, uses: usesOf(text) };
    definitions[side].set(name, definition);
    return definition;
  };
  return {
    convert: (schema, side) => convert(schema, side, 0),
    complete(schema, side, bytesMax) {
      const text = JSON.stringify(schema);
      const wanted = usesOf(text);
      if (wanted.length === 0 || typeof schema === "boolean") return schema;
      const defs = new Map<string, JsonSchema>();
      let bytes = text.length;
      for (const name of wanted) {
        if (defs.has(name)) continue;
        const definition = define(name, side);
        const fits = bytes + definition.bytes <= bytesMax;
        bytes += fits ? definition.bytes : 0;
        defs.set(name, fits ? definition.schema : OPEN);
        // Pushed while it is walked: nearest first.
        if (fits) wanted.push(...definition.uses);
      }
      return { ...schema, $defs: Object.fromEntries(defs) };
    },
  };
}

/** Names of the definitions that a schema's JSON text refers to, each once. */
function usesOf(text: string): string[] {
  const names = new Set<string>();
  for (const match of text.matchAll(/"\$ref":"#\/\$defs\/([A-Za-z0-9_]+)"/g)) {
    if (match[1] !== undefined) names.add(match[1]);
  }
  return [...names];
}

/** False for a reference out of the document, to nothing, or to references in a circle. */
function leadsSomewhere(document: OpenapiDocument, pointer: string): boolean {
  const seen = new Set<string>();
  let at = pointer;
  try {
    while (!seen.has(at)) {
      seen.add(at);
      const target = lookUpPointer(document, at);
      if (!isNode(target) || typeof target.$ref !== "string") return true;
      at = target.$ref;
    }
  } catch (error) {
    if (!(error instanceof BrokenReferenceError)) throw error;
  }
  return false;
}

function convertKeywords(
  schema: Node,
  convert: (inner: unknown) => JsonSchema,
): { [key: string]: unknown } {
  const entries: [string, unknown][] = [];
  const add = (key: string, value: unknown) => entries.push([key, value]);
  const types = [schema.type].flat().filter((type) => TYPES.has(String(type)));
  if (types.length > 0) add("type", types.length === 1 ? types[0] : types);
  if (schema.type === "file") entries.push(["type", "string"], ["format", "binary"]);
  for (const key of COPIED) if (schema[key] !== undefined) add(key, schema[key]);
  for (const key of ONE_SCHEMA) if (isSchema(schema[key])) add(key, convert(schema[key]));
  for (const key of LIST_OF_SCHEMAS) {
    const list = schema[key];
    if (Array.isArray(list) && list.length > 0) add(key, list.map(convert));
  }
  for (const key of SCHEMAS_BY_NAME) {
    const map = schema[key];
    if (isNode(map)) add(key, mapValues(map, convert));
  }
  if (typeof schema.pattern === "string" && isPattern(schema.pattern)) {
    add("pattern", schema.pattern);
  }
  for (const bound of ["Minimum", "Maximum"] as const) {
    const plain = bound.toLowerCase();
    const exclusive = schema[`exclusive${bound}`];
    // Before 3.1 it was a flag beside the bound.
    if (typeof exclusive === "number") add(`exclusive${bound}`, exclusive);
    else if (exclusive === true && typeof schema[plain] === "number") {
      add(`exclusive${bound}`, schema[plain]);
    }
  }
  return { ...describe(schema), ...Object.fromEntries(entries) };
}

/** Properties and which of them are required, as one side sees them. */
function convertProperties(
  schema: Node,
  side: Side,
  convert: (inner: unknown) => JsonSchema,
): { [key: string]: unknown } {
  const hidden = side === "input" ? "readOnly" : "writeOnly";
  const properties = isNode(schema.properties)
    ? Object.entries(schema.properties).filter(([, inner]) =>
      !(isNode(inner) && inner[hidden] === true)
    )
    : null;
  const gone = isNode(schema.properties)
    ? new Set(
      Object.keys(schema.properties).filter((name) => !properties?.some(([kept]) => kept === name)),
    )
    : new Set<string>();
  const required = (Array.isArray(schema.required) ? schema.required : [])
    .filter((name): name is string => typeof name === "string" && !gone.has(name));
  return {
    ...(properties === null ? {} : {
      properties: Object.fromEntries(properties.map(([name, inner]) => [name, convert(inner)])),
    }),
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  };
}

function describe(schema: Node): { description?: string } {
  const { description } = schema;
  if (typeof description !== "string" || description.trim() === "") return {};
  const text = description.trim();
  return {
    description: text.length > DESCRIPTION_CHARS_MAX
      ? `${text.slice(0, DESCRIPTION_CHARS_MAX)}…`
      : text,
  };
}

/** The schema, or null. */
function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema === "boolean") return schema;
  if (typeof schema.type === "string" && schema.enum === undefined && schema.const === undefined) {
    return { ...schema, type: [schema.type, "null"] };
  }
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, { type: "null" }] };
}

/**
 * Whether a schema stands for those that extend it, too: it says by which property they are told
 * apart, and no more of them. Their properties are not described here.
 */
export function isBaseOfOthers(schema: Node): boolean {
  // Swagger 2 names the property alone.
  const tellsApart = isNode(schema.discriminator) || typeof schema.discriminator === "string";
  return tellsApart && schema.oneOf === undefined && schema.anyOf === undefined &&
    schema.additionalProperties === undefined;
}

function isSchema(value: unknown): boolean {
  return typeof value === "boolean" || isNode(value);
}

function isPattern(pattern: string): boolean {
  if (pattern.length > PATTERN_CHARS_MAX) return false;
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}

function mapValues(
  map: Node,
  change: (value: unknown) => JsonSchema,
): { [key: string]: JsonSchema } {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
