import type { JsonSchema } from "../../model/json/json.ts";
import { SCHEMA_KEYWORDS, SCHEMA_LIST_KEYWORDS } from "../../model/json/schema_keywords.ts";
import {
  BrokenReferenceError,
  isNode,
  lookUpPointer,
  type Node,
  type OpenapiDocument,
} from "./document.ts";
import { createReadOnly, type Side } from "./read_only.ts";

/**
 * Turns schemas of a document into JSON Schema, without the parts hidden from one side. The catalog
 * later handles the rest of old drafts and of mistakes, as for any other server.
 */
export interface SchemaConverter {
  /** Converts one schema. References become `#/$defs/<name>`; `complete` adds the definitions. */
  convert(schema: unknown, side: Side): JsonSchema;
  /**
   * Adds the definitions that a schema refers to, nearest first, up to `bytesMax` bytes of JSON.
   * Definitions beyond the bound accept any value.
   */
  complete(schema: JsonSchema, side: Side, bytesMax: number): JsonSchema;
  /**
   * Whether a property is hidden from this side: read-only in input, write-only in output. The
   * property or its reference may say it.
   */
  hides(schema: unknown, side: Side): boolean;
}

interface Definition {
  readonly schema: JsonSchema;
  readonly bytes: number;
  /** Names of the definitions that this one refers to. */
  readonly uses: readonly string[];
}

/** Where the converter is in a schema. */
interface Place {
  readonly side: Side;
  readonly depth: number;
  /** Properties that an `allOf` around this part hides from the side. */
  readonly gone: ReadonlySet<string>;
}

const DEPTH_MAX = 48;
const DESCRIPTION_CHARS_MAX = 1_000;
const NOTHING_GONE: ReadonlySet<string> = new Set();
const atRoot = (side: Side): Place => ({ side, depth: 0, gone: NOTHING_GONE });
const OPEN: JsonSchema = { description: "Not described here, any value" };

/** Keywords copied unchanged; keywords in none of these lists are dropped. */
const COPIED = [
  "enum",
  "const",
  "pattern",
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
const ONE_SCHEMA = ["items", ...SCHEMA_KEYWORDS];
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
  const readOnly = createReadOnly(document);
  const reference = (pointer: string, schema: Node, at: Place): JsonSchema => {
    if (!leadsSomewhere(document, pointer)) return OPEN;
    const target = { $ref: `#/$defs/${nameOf(pointer)}`, ...describe(schema) };
    // Beside a reference, all keywords count since 3.1; before only `nullable` and the text do.
    if (document.version !== "3.1") return schema.nullable === true ? orNull(target) : target;
    const { $ref: _, ...siblings } = schema;
    const beside = convert(siblings, { ...at, depth: at.depth + 1 });
    return typeof beside === "boolean" ? target : { ...target, ...beside };
  };
  const convert = (schema: unknown, at: Place): JsonSchema => {
    const { side, depth, gone } = at;
    if (typeof schema === "boolean") return schema;
    if (!isNode(schema) || depth > DEPTH_MAX) return OPEN;
    if (typeof schema.$ref === "string") {
      const inlined = gone.size === 0 ? null : readOnly.requiring(schema, gone);
      return inlined === null
        ? reference(schema.$ref, schema, at)
        : convert(inlined, { ...at, depth: depth + 1 });
    }
    const hidden = new Set([...gone, ...readOnly.hiddenNames(schema, side)]);
    const below = { side, depth: depth + 1, gone: NOTHING_GONE };
    const inner = (each: unknown) => convert(each, below);
    const whole = {
      ...convertKeywords(schema, inner, (part) => convert(part, { ...below, gone: hidden })),
      ...convertProperties(
        schema,
        hidden,
        (property) => !readOnly.hides(property, side),
        inner,
      ),
      ...(isBaseOfOthers(schema) ? { additionalProperties: true } : {}),
    };
    if (schema.nullable !== true) return whole;
    return document.version === "3.1" ? { ...whole, nullable: true } : orNull(whole);
  };
  const define = (name: string, side: Side): Definition => {
    const known = definitions[side].get(name);
    if (known !== undefined) return known;
    const schema = convert(lookUpPointer(document, pointers.get(name) ?? ""), atRoot(side));
    const text = JSON.stringify(schema);
    const definition = { schema, bytes: text.length, uses: usesOf(text) };
    definitions[side].set(name, definition);
    return definition;
  };
  return {
    convert: (schema, side) => convert(schema, atRoot(side)),
    hides: readOnly.hides,
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
        // The loop also visits these new entries, so nearer definitions come first.
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

/** False if a reference leaves the document, leads to nothing, or leads in a circle. */
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

/** @param convertPart converts parts of `allOf`, which describe the same value. */
function convertKeywords(
  schema: Node,
  convert: (inner: unknown) => JsonSchema,
  convertPart: (inner: unknown) => JsonSchema,
): { [key: string]: unknown } {
  const entries: [string, unknown][] = [];
  const add = (key: string, value: unknown) => entries.push([key, value]);
  if (schema.type === "file") entries.push(["type", "string"], ["format", "binary"]);
  else if (isWideInteger(schema)) add("type", withDigits(schema.type));
  else if (schema.type !== undefined) add("type", schema.type);
  for (const key of COPIED) if (schema[key] !== undefined) add(key, schema[key]);
  for (const key of ONE_SCHEMA) if (isSchema(schema[key])) add(key, convert(schema[key]));
  for (const key of SCHEMA_LIST_KEYWORDS) {
    const list = schema[key];
    if (Array.isArray(list) && list.length > 0) {
      add(key, list.map(key === "allOf" ? convertPart : convert));
    }
  }
  for (const key of SCHEMAS_BY_NAME) {
    const map = schema[key];
    if (isNode(map)) add(key, mapValues(map, convert));
  }
  for (const bound of ["Minimum", "Maximum"] as const) {
    const plain = bound.toLowerCase();
    const exclusive = schema[`exclusive${bound}`];
    // Before 3.1 `exclusiveMinimum` and `exclusiveMaximum` were flags beside the bound.
    if (typeof exclusive === "number") add(`exclusive${bound}`, exclusive);
    else if (exclusive === true && typeof schema[plain] === "number") {
      add(`exclusive${bound}`, schema[plain]);
    }
  }
  return { ...describe(schema), ...Object.fromEntries(entries) };
}

/** The properties that one side sees, and which of them are required. */
function convertProperties(
  schema: Node,
  hidden: ReadonlySet<string>,
  isShown: (property: unknown) => boolean,
  convert: (inner: unknown) => JsonSchema,
): { [key: string]: unknown } {
  const required = (Array.isArray(schema.required) ? schema.required : [])
    .filter((name): name is string => typeof name === "string" && !hidden.has(name));
  return {
    ...(isNode(schema.properties)
      ? {
        properties: Object.fromEntries(
          Object.entries(schema.properties).filter(([, inner]) => isShown(inner))
            .map(([name, inner]) => [name, convert(inner)]),
        ),
      }
      : {}),
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  };
}

/** True for 64-bit integers. A number cannot hold them all, so their digits may come as a text. */
function isWideInteger({ type, format }: Node): boolean {
  const isWide = format === "int64" || format === "uint64";
  return isWide && [type].flat().some((each) => each === "integer" || each === "number");
}

function withDigits(type: unknown): readonly unknown[] {
  const types = [type].flat().map((each) => each === "number" ? "integer" : each);
  return [...new Set([...types.filter((each) => each !== "null"), "string"])].concat(
    types.includes("null") ? ["null"] : [],
  );
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

/** A schema that also accepts null. */
function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema === "boolean") return schema;
  if (typeof schema.type === "string" && schema.enum === undefined && schema.const === undefined) {
    return { ...schema, type: [schema.type, "null"] };
  }
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, { type: "null" }] };
}

/**
 * Whether a schema is a base type: its discriminator names the property that tells its subtypes
 * apart, but it does not list them. Properties of subtypes are not described here.
 */
export function isBaseOfOthers(schema: Node): boolean {
  // In Swagger 2 the discriminator is just the name of the property.
  const tellsApart = isNode(schema.discriminator) || typeof schema.discriminator === "string";
  return tellsApart && schema.oneOf === undefined && schema.anyOf === undefined &&
    schema.additionalProperties === undefined;
}

function isSchema(value: unknown): boolean {
  return typeof value === "boolean" || isNode(value);
}

function mapValues(
  map: Node,
  change: (value: unknown) => JsonSchema,
): { [key: string]: JsonSchema } {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
