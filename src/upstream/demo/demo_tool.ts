import type { Json, JsonSchema } from "../../model/json/json.ts";

/** One tool of a built-in server. */
export interface DemoTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: false;
  };
  /** @throws {DemoToolError} the tool's answer if it cannot do what the caller asks. */
  readonly run: (args: DemoArguments) => Json;
}

/** The tool's own error, in words for its caller. */
export class DemoToolError extends Error {
  override readonly name = "DemoToolError";
}

/** Arguments that have passed the input schema. */
export interface DemoArguments {
  readonly [name: string]: unknown;
}

type Properties = { readonly [name: string]: JsonSchema };

export const READS = annotations(true, false, true);
export const WRITES = annotations(false, false, true);
export const ADDS = annotations(false, false, false);
export const DESTROYS = annotations(false, true, true);

function annotations(
  readOnlyHint: boolean,
  destructiveHint: boolean,
  idempotentHint: boolean,
): DemoTool["annotations"] {
  return { readOnlyHint, destructiveHint, idempotentHint, openWorldHint: false };
}

/** An object schema without further properties; `required` defaults to all of them. */
export function objectOf(
  properties: Properties,
  required: readonly string[] = Object.keys(properties),
): JsonSchema {
  return { type: "object", properties, required, additionalProperties: false };
}

export function arrayOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

export function text(description: string): JsonSchema {
  return { type: "string", description };
}

export function date(description: string): JsonSchema {
  return { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$", description };
}

export const LIMIT: JsonSchema = {
  type: "integer",
  minimum: 1,
  maximum: 10_000,
  description: "At most this many rows; default all",
};

/** @throws {DemoToolError} if there is no such row. */
export function findRow<T>(rows: ReadonlyMap<string, T>, kind: string, id: unknown): T {
  const row = typeof id === "string" ? rows.get(id) : undefined;
  if (row === undefined) throw new DemoToolError(`There is no ${kind} "${String(id)}"`);
  return row;
}

/** The rows that pass every filter, at most `limit`, as JSON copies. */
export function selectRows<T>(
  rows: ReadonlyMap<string, T>,
  limit: unknown,
  keep: (row: T) => boolean,
): Json {
  const max = typeof limit === "number" ? limit : Infinity;
  const selected: T[] = [];
  for (const row of rows.values()) {
    if (selected.length >= max) break;
    if (keep(row)) selected.push(row);
  }
  return copyJson(selected);
}

export function copyJson(value: unknown): Json {
  return structuredClone(value) as Json;
}

/** True if a filter is absent or equals the value. */
export function matches(wanted: unknown, value: unknown): boolean {
  return wanted === undefined || wanted === value;
}

/** True if an ISO date or time is within optional bounds: `from` included, `to` excluded. */
export function isWithin(value: string, from: unknown, to: unknown): boolean {
  return (typeof from !== "string" || value >= from) && (typeof to !== "string" || value < to);
}
