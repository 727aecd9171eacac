import type { SchemaObject } from "../../catalog/types/resolve_schema.ts";
import { isFields } from "../../model/json/fields.ts";
import type { JsonSchema } from "../../model/json/json.ts";

/**
 * The pattern that a text must match at a place of a value, with an example that matches.
 *
 * @param path JSON Pointer into the value (RFC 6901).
 * @returns ` ^\d{4}-\d{2}-\d{2}$, such as "2026-04-01"`; empty where the schema has no pattern.
 */
export function describePattern(schema: JsonSchema, path: string): string {
  const steps = path.split("/").slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  for (const found of schemasAt(schema, steps)) {
    const { pattern } = found;
    if (typeof pattern !== "string") continue;
    const example = exampleOf(found, pattern);
    const shown = pattern.length <= PATTERN_SHOWN_MAX
      ? pattern
      : `${pattern.slice(0, PATTERN_SHOWN_MAX)}…`;
    return ` ${shown}${example === null ? "" : `, such as ${JSON.stringify(example)}`}`;
  }
  return "";
}

const PATTERN_SHOWN_MAX = 120;
const SCHEMAS_MAX = 200;

/** The parts of a schema that apply to one place of the value. */
function schemasAt(root: JsonSchema, steps: readonly string[]): SchemaObject[] {
  let visits = 0;
  /** The schema, its alternatives and its reference targets, which all apply to the same value. */
  const spread = (schema: unknown): SchemaObject[] => {
    if (!isFields(schema) || ++visits > SCHEMAS_MAX) return [];
    const parts = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((list) =>
      Array.isArray(list) ? list : []
    );
    const target = typeof schema.$ref === "string" ? resolve(root, schema.$ref) : null;
    return [schema, ...[target, ...parts].flatMap(spread)];
  };
  let found = spread(root);
  for (const step of steps) {
    found = found.flatMap((schema) => spread(childOf(schema, step)));
  }
  return found;
}

function childOf(schema: SchemaObject, step: string): unknown {
  const { properties, additionalProperties, items, prefixItems } = schema;
  if (isFields(properties) && Object.hasOwn(properties, step)) return properties[step];
  if (/^\d+$/.test(step) && (items !== undefined || Array.isArray(prefixItems))) {
    return Array.isArray(prefixItems) ? prefixItems[Number(step)] ?? items : items;
  }
  return additionalProperties;
}

function resolve(root: JsonSchema, reference: string): unknown {
  if (!reference.startsWith("#")) return null;
  let at: unknown = root;
  for (const step of reference.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const isOwn = typeof at === "object" && at !== null && Object.hasOwn(at, name);
    at = isOwn ? (at as { readonly [name: string]: unknown })[name] : null;
  }
  return at;
}

const EXAMPLE_CHARS_MAX = 80;

/** A matching text: an example of the schema, else one made from the pattern. */
function exampleOf(schema: SchemaObject, pattern: string): string | null {
  const given = [
    schema.example,
    ...Array.isArray(schema.examples) ? schema.examples : [],
    schema.default,
  ].filter((value) => typeof value === "string" && value.length <= EXAMPLE_CHARS_MAX);
  const made = exampleFor(pattern);
  const candidates = [
    ...given,
    ...made === null ? [] : datesIn(made),
    ...made === null ? [] : [made],
  ];
  return candidates.find((text) => matches(pattern, text)) ?? null;
}

/** Patterns that may take long on any text; they are not run, because upstreams supply them. */
const COSTLY = /\)[*+{?]|\\[1-9k]|\(\?[=!<]/;

function matches(pattern: string, text: string): boolean {
  if (pattern.length > 256 || COSTLY.test(pattern)) return false;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

/** Replaces digits in the form of a date or a time by a valid date or time. */
function datesIn(text: string): string[] {
  const date = text.replace(/\d{4}-\d{2}-\d{2}/, "2026-04-01");
  const time = date.replace(/\d{2}:\d{2}(?::\d{2})?/, (all) => "09:00:00".slice(0, all.length));
  return time === text ? [] : [time];
}

const ATOM =
  /\\(?:u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|p\{\w+\}|[^])|\[\^?(?:\\[^]|[^\]\\])*\]|[^\\[\](){}|^$*+?]|[$^]/y;
const TIMES = /\{(\d{1,3})(?:,\d{0,3})?\}|[*+?]/y;

/**
 * A text for a pattern without groups.
 *
 * @returns null if the pattern is too complex.
 */
function exampleFor(pattern: string): string | null {
  let text = "";
  for (let at = 0; at < pattern.length;) {
    ATOM.lastIndex = at;
    const atom = ATOM.exec(pattern)?.[0];
    if (atom === undefined) return null;
    at += atom.length;
    TIMES.lastIndex = at;
    const times = TIMES.exec(pattern);
    if (times !== null) at += times[0].length;
    const count = times === null || times[0] === "+" ? 1 : Number(times[1] ?? 0);
    for (let index = 0; index < count; index++) {
      const char = characterFor(atom, index);
      if (char === null) return null;
      text += char;
    }
    if (text.length > EXAMPLE_CHARS_MAX) return null;
  }
  return text;
}

/** Candidates for a character class; each position starts further in, so examples vary. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const SAMPLES = [LETTERS, LETTERS.toUpperCase(), "1234567890", "_-. /:@#"];

function characterFor(atom: string, index: number): string | null {
  if (atom === "^" || atom === "$") return "";
  if (atom.length === 1) return atom === "." ? LETTERS[index % LETTERS.length] ?? null : atom;
  if (/^\\[bB]$/.test(atom)) return "";
  if (/^\\[^dDwWsSpPux\w]$/.test(atom)) return atom.slice(1);
  if (!matchesClass(atom)) return null;
  for (const sample of SAMPLES) {
    for (let step = 0; step < sample.length; step++) {
      const char = sample[(index + step) % sample.length] ?? "";
      if (matches(`^${atom}$`, char)) return char;
    }
  }
  return null;
}

function matchesClass(atom: string): boolean {
  return atom.startsWith("[") || atom.startsWith("\\");
}
