import { z } from "zod";
import { isFields } from "../model/json/fields.ts";
import { nearest } from "../model/nearest.ts";
import {
  choicesOf,
  isList,
  type KeyPath,
  knownKeys,
  literalsOf,
  objectShapes,
  requiredKeys,
  schemasAt,
} from "./known_keys.ts";

/** One problem of a configuration, for a person to correct. */
export interface ConfigProblem {
  /** As in documents: `mcpServers.files.command`, `audit.ship[0].to`; empty: the whole file. */
  readonly key: string;
  readonly path: KeyPath;
  /** The rest of a sentence that starts with the key: `is an unknown key`. */
  readonly problem: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** The nearest known spelling, if one is near. */
  readonly near?: string;
}

type Issue = z.core.$ZodIssue;

/** Turns the findings of zod into sentences that name the key, the problem and the nearest known key. */
export function describeProblems(
  schema: z.core.$ZodType,
  issues: readonly Issue[],
  value: unknown,
): ConfigProblem[] {
  return issues.flatMap((issue) => describeIssue(schema, issue, value, []));
}

/** Writes a path the way it is written in documentation. */
export function renderKey(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]+$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

function describeIssue(
  schema: z.core.$ZodType,
  issue: Issue,
  value: unknown,
  base: KeyPath,
): ConfigProblem[] {
  const path = [...base, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(schema, [...path, key]));
    case "invalid_union":
      return describeUnion(schema, issue, value, path);
    case "invalid_type":
      return [wrongType(path, issue.expected, valueAt(value, path))];
    case "invalid_value":
      return [wrongChoice(path, issue.values.map(renderLiteral), valueAt(value, path))];
    case "too_big":
    case "too_small":
      return [outOfRange(path, issue, valueAt(value, path))];
    case "invalid_key":
      return [
        make(
          path,
          `is not a name that can stand here: ${lowerFirst(issue.issues[0]?.message ?? "")}`,
          "Rename it",
        ),
      ];
    default: {
      const message = issue.code === "invalid_format" && issue.format === "url"
        ? "must be a URL such as https://api.example.com/mcp"
        : lowerFirst(issue.message);
      return [make(path, message, `Change the value of "${renderKey(path)}"`)];
    }
  }
}

function unknownKey(schema: z.core.$ZodType, path: KeyPath): ConfigProblem {
  const known = knownKeys(schema, path.slice(0, -1));
  const key = String(path.at(-1));
  if (known.includes(key)) {
    const parent = renderKey(path.slice(0, -1));
    return make(path, "does not go with the other keys here", `Remove "${key}" from "${parent}"`);
  }
  const [near] = nearest(key, known, 1);
  if (near !== undefined) {
    return {
      ...make(
        path,
        `is an unknown key, the nearest known key is "${near}"`,
        `Rename it to "${near}" or remove it`,
      ),
      near,
    };
  }
  return make(
    path,
    `is an unknown key`,
    known.length === 0 ? "Remove it" : `Remove it; known keys here: ${known.join(", ")}`,
  );
}

/** A union's own message says nothing: explains the choice that the author seems to mean. */
function describeUnion(
  schema: z.core.$ZodType,
  issue: Extract<Issue, { code: "invalid_union" }>,
  value: unknown,
  path: KeyPath,
): ConfigProblem[] {
  const given = valueAt(value, path);
  const choices = schemasAt(schema, path).flatMap(choicesOf);
  if (!isFields(given)) {
    const shapes = choices.flatMap(objectShapes)
      .map((shape) => `{ ${requiredKeys(shape).join(", ")} }`);
    const literals = choices.flatMap(literalsOf).map(renderLiteral);
    const lists = choices.some(isList) ? ["a list"] : [];
    const forms = choices.flatMap((choice) => z.globalRegistry.get(choice)?.description ?? []);
    return [wrongChoice(path, [...literals, ...forms, ...shapes, ...lists], given)];
  }
  const required = choices.map((choice) => objectShapes(choice).flatMap(requiredKeys));
  const meant = required.findIndex((keys) => keys.some((key) => Object.hasOwn(given, key)));
  const errors = issue.errors[meant];
  if (errors === undefined) {
    const openers = [...new Set(required.flatMap((keys) => keys.slice(0, 1)))]
      .map((key) => `"${key}"`);
    const known = knownKeys(schema, path);
    const unknown = Object.keys(given).filter((key) => !known.includes(key));
    return [
      make(
        path,
        `needs ${openers.join(" or ")}`,
        `Add ${openers.join(" or ")} to "${renderKey(path)}"`,
      ),
      ...unknown.map((key) => unknownKey(schema, [...path, key])),
    ];
  }
  return errors.flatMap((inner) => describeIssue(schema, inner, value, path));
}

function wrongType(path: KeyPath, expected: string, given: unknown): ConfigProblem {
  const names: { [type: string]: string } = {
    object: "a map of keys",
    record: "a map of names",
    array: "a list",
    string: "a text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
  };
  const wanted = names[expected] ?? expected;
  if (given === undefined) {
    return make(path, `is missing`, `Add "${renderKey(path)}": ${wanted}`);
  }
  if (given === null) {
    return make(path, `has no value`, `Give it ${wanted}, or remove the key`);
  }
  return make(path, `must be ${wanted}, not ${describeValue(given)}`, `Write ${wanted}`);
}

function wrongChoice(path: KeyPath, choices: readonly string[], given: unknown): ConfigProblem {
  const list = choices.join(", ");
  const texts = choices.filter((choice) => choice.startsWith('"')).map((choice) =>
    choice.slice(1, -1)
  );
  const [near] = typeof given === "string" ? nearest(given, texts, 1) : [];
  return {
    ...make(
      path,
      `must be ${choices.length > 1 ? "one of " : ""}${list}, not ${describeValue(given)}`,
      near === undefined
        ? `Use ${choices.length > 1 ? "one of " : ""}${list}`
        : `Did you mean "${near}"?`,
    ),
    ...(near === undefined ? {} : { near }),
  };
}

/** A literal as in a configuration: `"read"`, `1`, `true`. */
function renderLiteral(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

function outOfRange(
  path: KeyPath,
  issue: Extract<Issue, { code: "too_big" | "too_small" }>,
  given: unknown,
): ConfigProblem {
  const bound = issue.code === "too_big" ? issue.maximum : issue.minimum;
  const words = issue.inclusive === false ? ["less than", "more than"] : ["at most", "at least"];
  const word = words[issue.code === "too_big" ? 0 : 1];
  const unit = issue.origin === "string"
    ? " characters"
    : issue.origin === "array"
    ? " entries"
    : "";
  const size = typeof given === "number"
    ? `, not ${given}`
    : typeof given === "string"
    ? `, not ${given.length}`
    : "";
  return make(
    path,
    `must be ${word} ${bound}${unit}${size}`,
    `Use a value of ${word} ${bound}${unit}`,
  );
}

function make(path: KeyPath, problem: string, remedy: string): ConfigProblem {
  return { key: renderKey(path), path, problem, remedy };
}

/** Names the kind of a value. Never repeats a text, which may hold a secret. */
function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") {
    return /^[\w.:-]{1,24}$/.test(value) ? `"${value}"` : "another text";
  }
  if (typeof value === "object") return "a map of keys";
  return String(value);
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Object.hasOwn(current, step)
      ? (current as { [key: PropertyKey]: unknown })[step]
      : undefined;
  }
  return current;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
