import { GateError } from "../../model/errors.ts";
import { digitsForBigints } from "../../model/json/exact_json.ts";
import { isFields } from "../../model/json/fields.ts";
import { findNonFinite } from "../../model/json/json_numbers.ts";
import { nearest } from "../../model/nearest.ts";
import type { Limits } from "../../model/limits.ts";
import type { Tool } from "../../model/tool.ts";
import { readValues } from "./read_values.ts";
import { type FormatUse, validateJson, type Validation } from "./validate_json.ts";
import { describePattern } from "./wanted_pattern.ts";

const NAMES_MAX = 30;

/** Rules for the arguments of every tool. */
export interface ArgumentRules {
  readonly limits: Pick<Limits, "toolArgumentBytesMax">;
  /** Whether formats are enforced; default: `annotate`. */
  readonly formats?: FormatUse;
}

export interface CheckedArguments {
  /** The arguments with the exact values that JSON cannot carry; unchanged if there is an error. */
  readonly args: unknown;
  /** The error for the caller; null if the arguments fit. */
  readonly error: GateError | null;
}

/**
 * Checks the arguments of a call against size, form and the tool's schema.
 *
 * @param argsText the arguments as JSON.
 */
export function checkArguments(
  { limits, formats = "annotate" }: ArgumentRules,
  tool: Tool,
  args: unknown,
  argsText: string,
): CheckedArguments {
  const argsBytes = new TextEncoder().encode(argsText).length;
  const misshapen = formError(limits, tool, args, argsBytes);
  if (misshapen !== null) return { args, error: misshapen };
  const read = readValues(tool.inputSchema, args, argsText);
  const validation: Validation = read.problems.length > 0
    ? { ok: false, problems: read.problems }
    : validateJson(tool.inputSchema, digitsForBigints(read.args), argsBytes, formats);
  return validation.ok
    ? { args: read.args, error: null }
    : { args, error: invalidArguments(tool, validation) };
}

function formError(
  { toolArgumentBytesMax: bytesMax }: ArgumentRules["limits"],
  tool: Tool,
  args: unknown,
  argsBytes: number,
): GateError | null {
  if (argsBytes > bytesMax) {
    return new GateError(
      "ERR_INVALID_ARGUMENTS",
      `Cannot call "${tool.id}": its arguments are ${argsBytes} bytes, the limit is ${bytesMax}`,
      { hint: "Send less at once, or in several calls", tool: tool.id },
    );
  }
  if (!isFields(args)) {
    return new GateError(
      "ERR_INVALID_ARGUMENTS",
      `Cannot call "${tool.id}": the arguments must be one object`,
      { hint: `Call it as tools.${tool.id}({ … })`, tool: tool.id },
    );
  }
  const place = findNonFinite(args, "args");
  if (place !== null) {
    return new GateError(
      "ERR_INVALID_ARGUMENTS",
      `Cannot call "${tool.id}": ${place} is not a finite number`,
      { hint: "JSON would send it as null; send a smaller number or a text", tool: tool.id },
    );
  }
  return null;
}

/**
 * The error for arguments that do not fit: names each place, the expected value and a likely fix.
 */
function invalidArguments(tool: Tool, validation: Validation & { ok: false }): GateError {
  if (validation.problems === null) {
    return new GateError(
      "ERR_TOOL_UNAVAILABLE",
      `Cannot call "${tool.id}": its input schema cannot be used (${validation.reason})`,
      { hint: "The operator has to repair or replace this tool", tool: tool.id },
    );
  }
  const places = validation.problems.map(({ path, message }) => {
    const text = message.replace(/\.$/, "");
    const pattern = /does not match pattern$/.test(text)
      ? describePattern(tool.inputSchema, path)
      : "";
    return `${path === "" ? "arguments" : path}: ${text}${pattern}`;
  });
  return new GateError(
    "ERR_INVALID_ARGUMENTS",
    `Cannot call "${tool.id}": ${places.join("; ")}`,
    {
      hint: expectation(tool, validation.problems.map((problem) => problem.message)),
      tool: tool.id,
    },
  );
}

function expectation(tool: Tool, messages: readonly string[]): string {
  const schema = tool.inputSchema;
  const properties = typeof schema === "object" && typeof schema.properties === "object" &&
      schema.properties !== null
    ? Object.keys(schema.properties)
    : [];
  const required = typeof schema === "object" && Array.isArray(schema.required)
    ? schema.required
    : [];
  const meant = messages.flatMap((message) => {
    const unknown = /^Property "(.+)" does not match additional/.exec(message)?.[1];
    const near = unknown === undefined ? undefined : nearest(unknown, properties, 1)[0];
    return near === undefined ? [] : [`did you mean "${near}" instead of "${unknown}"?`];
  });
  const names = properties.slice(0, NAMES_MAX).map((name) =>
    required.includes(name) ? name : `${name}?`
  );
  const expected = names.length === 0 ? "It takes no parameters" : `It takes ${names.join(", ")}`;
  return [expected, ...meant].join("; ");
}
