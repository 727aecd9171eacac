import { type Schema, Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../../model/json/json.ts";

/** One way in which a value does not fit its schema. */
export interface SchemaProblem {
  /** JSON Pointer into the value (RFC 6901); empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

export type Validation =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] }
  /** The schema itself cannot be used; the value was not looked at. */
  | { readonly ok: false; readonly problems: null; readonly reason: string };

const PROBLEMS_MAX = 5;
const NESTING_MAX = 100;
/** Above this size, keywords whose cost grows faster than the value are not evaluated. */
const THOROUGH_BYTES_MAX = 4_096;
const PATTERN_CHARACTERS_MAX = 256;

interface Validators {
  readonly thorough: Validator;
  readonly linear: Validator;
}

/** `annotate`: formats never refuse a value. @see JSON Schema 2020-12 Validation, 7.2.1 */
export type FormatUse = "annotate" | "assert";

const validators = {
  annotate: new WeakMap<object, Validators>(),
  assert: new WeakMap<object, Validators>(),
};

/**
 * Checks a value against a JSON Schema 2020-12, as `normalizeSchema` makes it.
 *
 * Schemas come from half-trusted servers and values from hostile programs, so checks must take
 * about linear time. Patterns that can backtrack without bound are left out; for large values also
 * formats, `uniqueItems` and patterns with a repetition. `$ref` is never fetched.
 *
 * @param bytes size of the value as JSON.
 */
export function validateJson(
  schema: JsonSchema,
  value: unknown,
  bytes: number,
  formats: FormatUse = "annotate",
): Validation {
  if (schema === true) return { ok: true };
  if (schema === false) {
    return { ok: false, problems: [{ path: "", message: "No value is allowed" }] };
  }
  if (nestsDeeper(value, NESTING_MAX)) {
    return {
      ok: false,
      problems: [{ path: "", message: `Nesting is deeper than ${NESTING_MAX} levels` }],
    };
  }
  try {
    const { thorough, linear } = validatorsOf(schema, formats);
    const { valid, errors } = (bytes <= THOROUGH_BYTES_MAX ? thorough : linear).validate(value);
    return valid ? { ok: true } : { ok: false, problems: readableProblems(errors) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: null, reason: reason.slice(0, 200) };
  }
}

function validatorsOf(
  schema: { readonly [key: string]: unknown },
  formats: FormatUse,
): Validators {
  let pair = validators[formats].get(schema);
  if (pair === undefined) {
    const copy = (keep: Kept) => withoutCostlyKeywords(schema, keep) as Schema;
    pair = {
      thorough: new Validator(
        copy({ linearOnly: false, formats: formats === "assert" }),
        "2020-12",
        false,
      ),
      // This validator stops at the first problem: a large value may have a million.
      linear: new Validator(copy({ linearOnly: true, formats: false }), "2020-12", true),
    };
    validators[formats].set(schema, pair);
  }
  return pair;
}

/** The costly keywords that a copy of a schema keeps. */
interface Kept {
  readonly linearOnly: boolean;
  readonly formats: boolean;
}

/**
 * Copies a schema without the keywords that a hostile value could turn into a denial of service.
 */
function withoutCostlyKeywords(schema: unknown, keep: Kept, depth = 0): unknown {
  const { linearOnly, formats } = keep;
  if (depth > NESTING_MAX) throw new Error(`Schema nests deeper than ${NESTING_MAX} levels`);
  if (Array.isArray(schema)) {
    return schema.map((item) => withoutCostlyKeywords(item, keep, depth + 1));
  }
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: { [key: string]: unknown } = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "pattern" && typeof value === "string" && !isCheapPattern(value, linearOnly)) {
      continue;
    }
    // `format` and `uniqueItems` may also be names of properties; then the value is a schema.
    if (keyword === "format" && !formats && typeof value !== "object") continue;
    if (keyword === "uniqueItems" && linearOnly && typeof value !== "object") continue;
    if (keyword === "patternProperties" && typeof value === "object" && value !== null) {
      const kept = Object.entries(value).filter(([pattern]) => isCheapPattern(pattern, linearOnly));
      copy[keyword] = Object.fromEntries(
        kept.map(([name, sub]) => [name, withoutCostlyKeywords(sub, keep, depth + 1)]),
      );
      continue;
    }
    Object.defineProperty(copy, keyword, {
      value: withoutCostlyKeywords(value, keep, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

/** True if the pattern's worst case is bounded enough for the size of value it will meet. */
function isCheapPattern(pattern: string, linearOnly: boolean): boolean {
  if (pattern.length > PATTERN_CHARACTERS_MAX) return false;
  if (/\\[1-9k]|\(\?[=!<]/.test(pattern)) return false; // back-references and look-around
  if (/\)[*+{?]/.test(pattern)) return false; // a repeated group can nest repetitions
  const outsideClasses = pattern.replaceAll(/\\./g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  const repetitions = outsideClasses.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  return repetitions <= (linearOnly ? 0 : 2);
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => nestsDeeper(child, levels - 1));
}

type OutputUnit = ReturnType<Validator["validate"]>["errors"][number];

/**
 * The innermost problems with their places; outer problems only repeat that an inner one exists.
 */
function readableProblems(errors: readonly OutputUnit[]): SchemaProblem[] {
  const isOuter = (unit: OutputUnit) =>
    ["properties", "items", "additionalProperties", "allOf", "$ref", "prefixItems"].includes(
      unit.keyword,
    ) && errors.some((other) =>
      other !== unit && other.instanceLocation.startsWith(unit.instanceLocation) &&
      other.instanceLocation !== unit.instanceLocation
    );
  const seen = new Set<string>();
  const problems: SchemaProblem[] = [];
  for (const unit of errors) {
    // A `false` schema of `additionalProperties` says less than its parent.
    if (isOuter(unit) || unit.keyword === "false") continue;
    if (unit.error === "A subschema had errors." && errors.length > 1) continue;
    const problem = { path: unit.instanceLocation.replace(/^#/, ""), message: messageOf(unit) };
    const key = `${problem.path} ${problem.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    problems.push({ path: problem.path, message: problem.message.slice(0, 300) });
    if (problems.length === PROBLEMS_MAX) break;
  }
  return problems.length > 0 ? problems : errors.slice(0, 1).map((unit) => ({
    path: unit.instanceLocation.replace(/^#/, ""),
    message: messageOf(unit).slice(0, 300),
  }));
}

/** Rewrites the library's messages about bounds, which can read "0 is less than 0". */
function messageOf({ keyword, error }: OutputUnit): string {
  const [, value, bound] =
    /^(\S+) is (?:less|greater) than (?:or equal to )?\s*(\S+)\.$/.exec(error) ??
      [];
  if (value === undefined) return error;
  switch (keyword) {
    case "exclusiveMinimum":
      return `${value} must be greater than ${bound}`;
    case "exclusiveMaximum":
      return `${value} must be less than ${bound}`;
    case "minimum":
      return `${value} must be ${bound} or more`;
    case "maximum":
      return `${value} must be ${bound} or less`;
  }
  return error;
}
