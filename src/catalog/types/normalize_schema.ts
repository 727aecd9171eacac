import type { JsonSchema } from "../../model/json/json.ts";
import { SCHEMA_KEYWORDS, SCHEMA_LIST_KEYWORDS } from "../../model/json/schema_keywords.ts";
import { breakReferenceCycles } from "./break_reference_cycles.ts";
import { fitEnumToType } from "./fit_enum.ts";
import { createReferenceReader, type ReferenceReader } from "./read_references.ts";
import { readTypes } from "./read_types.ts";
import { isSchemaObject, type SchemaObject } from "./resolve_schema.ts";
import { toUnicodePattern } from "./unicode_pattern.ts";

/**
 * Translates a schema as servers write it, once for all later readers: types, gate, policy.
 *
 * The result is JSON Schema 2020-12: draft-03 to draft-07, OpenAPI's `nullable` and the types of other
 * languages are translated; a keyword that cannot be understood constrains nothing and gets a note.
 * `oneOf` becomes `anyOf`: branches of real documents overlap, and the server tells them apart itself.
 *
 * @see JSON Schema 2020-12 Core, 6.4 and 8.2
 */
export function normalizeSchema(schema: JsonSchema): NormalizedSchema {
  if (typeof schema === "boolean") return { schema, notes: [] };
  const notes: string[] = [];
  const state: Normalizing = {
    references: createReferenceReader(schema),
    isOld: typeof schema.$schema === "string" && /draft-0[3-7]/.test(schema.$schema),
    hasReferences: false,
    opened: new WeakSet(),
    note(place, text) {
      const where = place.length > PLACE_CHARS_MAX ? `…${place.slice(-PLACE_CHARS_MAX)}` : place;
      const line = `${where || "schema"}: ${text}`.slice(0, NOTE_CHARS_MAX);
      if (notes.length < NOTES_MAX && !notes.includes(line)) notes.push(line);
    },
  };
  const whole = normalize(state, schema, { place: "", base: "#", depth: 0 });
  const hoisted = new Map<string, unknown>();
  // This list grows while it is read: a target may refer to more targets.
  for (const { name, schema: target, base } of state.references.hoisted) {
    hoisted.set(name, normalize(state, target, { place: `$defs.${name}`, base, depth: 1 }));
  }
  const root: { [keyword: string]: unknown } = isSchemaObject(whole) ? { ...whole } : {};
  if (hoisted.size > 0) {
    const defs = isSchemaObject(root.$defs) ? root.$defs : {};
    root.$defs = Object.fromEntries([...Object.entries(defs), ...hoisted]);
  }
  if (state.hasReferences) breakReferenceCycles(root, state.note);
  const isSame = JSON.stringify(root) === JSON.stringify(schema);
  // The original is kept where nothing changed: catalogs are large.
  return { schema: isSame ? schema : root, notes };
}

export interface NormalizedSchema {
  readonly schema: JsonSchema;
  /** The parts that could not be understood, as sentences for the operator. */
  readonly notes: readonly string[];
}

interface Normalizing {
  readonly references: ReferenceReader;
  /** A draft before 2019: keywords beside `$ref` do not count. */
  readonly isOld: boolean;
  hasReferences: boolean;
  /** Object schemas that lost a pattern of `patternProperties`. */
  readonly opened: WeakSet<object>;
  readonly note: (place: string, text: string) => void;
}

interface Place {
  /** For notes: `properties.url`. */
  readonly place: string;
  /** The pointer of the nearest schema with an `$id`. */
  readonly base: string;
  readonly depth: number;
}

type Draft = { [keyword: string]: unknown };

const NOTES_MAX = 20;
const NOTE_CHARS_MAX = 240;
const PLACE_CHARS_MAX = 100;
const DEPTH_MAX = 200;
const ONE_SCHEMA = new Set(SCHEMA_KEYWORDS);
const SCHEMA_LISTS = new Set(SCHEMA_LIST_KEYWORDS);
const SCHEMA_MAPS = new Set(["properties", "$defs", "definitions", "dependentSchemas"]);
const COUNTS = new Set([
  ...["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"],
  ...["minContains", "maxContains"],
]);
const NUMBERS = new Set(["minimum", "maximum", "multipleOf"]);
const ANNOTATIONS = new Set([
  ...["title", "description", "default", "examples", "example", "deprecated", "readOnly"],
  ...["writeOnly", "$comment", "contentEncoding", "contentMediaType"],
]);
/** Keywords that other functions read, or that mean nothing once the references are read. */
const LEFT_OUT = new Set([
  ...["$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary"],
  ...["$ref", "$dynamicRef", "$recursiveRef", "type", "nullable", "enum", "const", "items"],
  ...["additionalItems", "dependencies", "exclusiveMinimum", "exclusiveMaximum"],
]);

function normalize(state: Normalizing, schema: unknown, at: Place): unknown {
  if (typeof schema === "boolean") return schema;
  if (!isSchemaObject(schema)) {
    state.note(at.place, `${briefly(schema)} is not a schema, any value is accepted`);
    return {};
  }
  if (at.depth > DEPTH_MAX) {
    state.note(at.place, "it is nested too deep to be read, any value is accepted");
    return {};
  }
  const base = state.references.baseOf(schema) ?? at.base;
  const here = { ...at, base };
  const out: Draft = {};
  const reference = schema.$ref ?? schema.$dynamicRef ?? schema.$recursiveRef;
  readReference(state, reference, here, out);
  const isRefOnly = state.isOld && out.$ref !== undefined;
  for (const [keyword, value] of Object.entries(schema)) {
    if (LEFT_OUT.has(keyword)) continue;
    if (isRefOnly && !ANNOTATIONS.has(keyword) && !/^(\$defs|definitions)$/.test(keyword)) continue;
    readKeyword(state, { keyword, value }, here, out);
  }
  if (isRefOnly) return inOrder(schema, schema.nullable === true ? orNull(out) : out);
  if (state.opened.has(out)) {
    delete out.additionalProperties;
    delete out.unevaluatedProperties;
  }
  readItems(state, schema, here, out);
  readDependencies(state, schema.dependencies, here, out);
  readExclusive(state, schema, here, out);
  const types = readTypes(schema.type, (text) => state.note(here.place, text));
  if (types.schemas.length > 0) {
    const alternatives = types.schemas.map((each) =>
      normalize(state, each, { ...here, depth: here.depth + 1 })
    );
    const branches = [...types.names.map((type) => ({ type })), ...alternatives];
    out.allOf = [...Array.isArray(out.allOf) ? out.allOf : [], { anyOf: branches }];
  } else if (types.names.length > 0) {
    out.type = types.names.length === 1 ? types.names[0] : types.names;
  }
  fitEnumToType(schema, out, (text) => state.note(here.place, text));
  return inOrder(schema, schema.nullable === true ? orNull(out) : out);
}

/** Keywords in the order of the original, so that an unchanged schema stays the same text. */
function inOrder(schema: SchemaObject, out: Draft): Draft {
  const ordered: Draft = {};
  for (const keyword of Object.keys(schema)) {
    if (Object.hasOwn(out, keyword)) define(ordered, keyword, out[keyword]);
  }
  for (const keyword of Object.keys(out)) {
    if (!Object.hasOwn(ordered, keyword)) define(ordered, keyword, out[keyword]);
  }
  return ordered;
}

function readReference(state: Normalizing, reference: unknown, at: Place, out: Draft): void {
  if (reference === undefined || reference === null) return;
  const target = typeof reference === "string" ? state.references.read(reference, at.base) : null;
  if (target === null) {
    state.note(
      at.place,
      `the reference ${briefly(reference)} leads nowhere, it constrains nothing`,
    );
    return;
  }
  state.hasReferences = true;
  out.$ref = target;
}

function readKeyword(
  state: Normalizing,
  { keyword, value }: { readonly keyword: string; readonly value: unknown },
  at: Place,
  out: Draft,
): void {
  const set = (read: unknown) => define(out, keyword, read);
  const inside = (step: string): Place => ({
    ...at,
    place: at.place === "" ? step : `${at.place}.${step}`,
    depth: at.depth + 1,
  });
  const refuse = () =>
    state.note(at.place, `"${keyword}" is ${briefly(value)}, which means nothing here`);
  if (ANNOTATIONS.has(keyword)) return set(value);
  // Languages without `undefined` write null for "absent".
  if (value === null) return;
  if (ONE_SCHEMA.has(keyword)) {
    if (typeof value !== "boolean" && !isSchemaObject(value)) return refuse();
    return set(normalize(state, value, inside(keyword)));
  }
  if (SCHEMA_LISTS.has(keyword)) {
    if (!Array.isArray(value)) return refuse();
    if (value.length === 0) return;
    const list = value.map((each, index) => normalize(state, each, inside(`${keyword}.${index}`)));
    if (keyword === "oneOf" || keyword === "anyOf") return addAlternatives(out, list);
    return set(keyword === "allOf" && Array.isArray(out.allOf) ? [...out.allOf, ...list] : list);
  }
  if (SCHEMA_MAPS.has(keyword)) {
    // PHP writes an empty map as an empty list.
    if (Array.isArray(value) && value.length === 0) return;
    if (!isSchemaObject(value)) return refuse();
    return set(
      mapValues(value, (name, each) => normalize(state, each, inside(`${keyword}.${name}`))),
    );
  }
  if (keyword === "patternProperties") {
    if (!isSchemaObject(value)) {
      return Array.isArray(value) && value.length === 0 ? undefined : refuse();
    }
    const kept = Object.entries(value).flatMap(([pattern, each]) => {
      const readable = toUnicodePattern(pattern);
      if (readable === null) state.note(at.place, notAPattern(pattern));
      return readable === null
        ? []
        : [[readable, normalize(state, each, inside(keyword))] as const];
    });
    // A closed object must not refuse the names that the lost pattern allowed.
    if (kept.length < Object.keys(value).length) state.opened.add(out);
    return set(Object.fromEntries(kept));
  }
  if (keyword === "pattern") {
    const readable = typeof value === "string" ? toUnicodePattern(value) : null;
    if (readable === null) return state.note(at.place, notAPattern(value));
    return set(readable);
  }
  if (keyword === "required") {
    if (!Array.isArray(value)) return refuse();
    return set(value.filter((name) => typeof name === "string"));
  }
  if (COUNTS.has(keyword)) {
    return Number.isInteger(value) && Number(value) >= 0 ? set(value) : refuse();
  }
  if (NUMBERS.has(keyword)) {
    const isUsable = typeof value === "number" && Number.isFinite(value) &&
      (keyword !== "multipleOf" || value > 0);
    return isUsable ? set(value) : refuse();
  }
  if (keyword === "uniqueItems") return typeof value === "boolean" ? set(value) : refuse();
  if (keyword === "format") return typeof value === "string" ? set(value) : refuse();
  // Of keywords outside the specification, only plain values are kept, for readers that know them.
  if (typeof value !== "object" || keyword === "dependentRequired") set(value);
}

/** Adds alternatives; earlier ones must hold as well. */
function addAlternatives(out: Draft, list: readonly unknown[]): void {
  if (out.anyOf === undefined) out.anyOf = list;
  else out.allOf = [...Array.isArray(out.allOf) ? out.allOf : [], { anyOf: list }];
}

/** A list of schemas for a tuple was called `items` before 2020. */
function readItems(state: Normalizing, schema: SchemaObject, at: Place, out: Draft): void {
  const { items, additionalItems } = schema;
  const inside = (step: string): Place => ({
    ...at,
    place: at.place === "" ? step : `${at.place}.${step}`,
    depth: at.depth + 1,
  });
  if (Array.isArray(items)) {
    if (items.length === 0) return;
    out.prefixItems = items.map((each, index) => normalize(state, each, inside(`items.${index}`)));
    if (typeof additionalItems === "boolean" || isSchemaObject(additionalItems)) {
      out.items = normalize(state, additionalItems, inside("additionalItems"));
    }
  } else if (typeof items === "boolean" || isSchemaObject(items)) {
    out.items = normalize(state, items, inside("items"));
  } else if (items !== undefined && items !== null) {
    state.note(at.place, `"items" is ${briefly(items)}, which means nothing here`);
  }
}

/** Before 2019, names and schemas stood in one keyword. */
function readDependencies(state: Normalizing, value: unknown, at: Place, out: Draft): void {
  if (!isSchemaObject(value)) return;
  const names: [string, unknown][] = [];
  const schemas: [string, unknown][] = [];
  for (const [name, needs] of Object.entries(value)) {
    if (Array.isArray(needs)) names.push([name, needs]);
    else schemas.push([name, normalize(state, needs, { ...at, depth: at.depth + 1 })]);
  }
  if (names.length > 0) out.dependentRequired ??= Object.fromEntries(names);
  if (schemas.length > 0) out.dependentSchemas ??= Object.fromEntries(schemas);
}

/** In draft-04 and OpenAPI 3.0, it is a flag beside the bound. @see draft-04 Validation, 5.1.3 */
function readExclusive(state: Normalizing, schema: SchemaObject, at: Place, out: Draft): void {
  for (const bound of ["minimum", "maximum"] as const) {
    const keyword = bound === "minimum" ? "exclusiveMinimum" : "exclusiveMaximum";
    const value = schema[keyword];
    if (typeof value === "number" && Number.isFinite(value)) out[keyword] = value;
    else if (value === true && out[bound] !== undefined) {
      out[keyword] = out[bound];
      delete out[bound];
    } else if (value !== undefined && value !== null && value !== false) {
      state.note(at.place, `"${keyword}" is ${briefly(value)}, which means nothing here`);
    }
  }
}

function orNull(schema: Draft): Draft {
  if (schema.type === "null" || Object.keys(schema).length === 0) return schema;
  const isPlain = schema.$ref === undefined && schema.anyOf === undefined &&
    schema.allOf === undefined && schema.const === undefined && schema.not === undefined &&
    schema.if === undefined;
  if (isPlain && schema.type === undefined) {
    return Array.isArray(schema.enum) ? { ...schema, enum: withNull(schema.enum) } : schema;
  }
  if (isPlain) {
    const types = [schema.type].flat();
    return {
      ...schema,
      type: types.includes("null") ? schema.type : [...types, "null"],
      ...(Array.isArray(schema.enum) ? { enum: withNull(schema.enum) } : {}),
    };
  }
  const { description, title, $defs, definitions, ...rest } = schema;
  return {
    ...Object.fromEntries(
      Object.entries({ description, title, $defs, definitions })
        .filter(([, value]) => value !== undefined),
    ),
    anyOf: [rest, { type: "null" }],
  };
}

function withNull(values: readonly unknown[]): readonly unknown[] {
  return values.includes(null) ? values : [...values, null];
}

function notAPattern(pattern: unknown): string {
  return `the pattern ${
    briefly(pattern)
  } is not a regular expression of JavaScript, it is not checked`;
}

function briefly(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function mapValues(map: SchemaObject, change: (name: string, value: unknown) => unknown): Draft {
  return Object.fromEntries(Object.entries(map).map(([name, each]) => [name, change(name, each)]));
}

/** Defines the property: an assignment to `__proto__` would set the prototype. */
function define(out: Draft, keyword: string, value: unknown): void {
  Object.defineProperty(out, keyword, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
