import { GateError } from "../../model/errors.ts";
import { findNonFinite } from "../../model/json/json_numbers.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../../policy/policy.ts";
import { redactResult } from "../../policy/redact/redact.ts";
import { type FormatUse, validateJson } from "../values/validate_json.ts";

export type CheckedOutput =
  | {
    readonly value: unknown;
    readonly json: string;
    readonly redactions: number;
    /** How the value breaks the tool's output schema; null if it fits or is not checked. */
    readonly mismatch: string | null;
  }
  | { readonly error: GateError };

/** Checks every result before the program sees it: size, schema, redaction. */
export interface OutputGate {
  /** @param bytes size of the answer as received. */
  check(policy: Policy, tool: Tool, value: unknown, bytes: number): CheckedOutput;
  /** Redacts an upstream's error text by the rules for results. */
  redactText(policy: Policy, text: string): string;
  /** Redacts an upstream's structured error, where rules for field names apply too. */
  redactValue(policy: Policy, value: unknown): unknown;
}

export function createOutputGate(formats: FormatUse = "annotate"): OutputGate {
  return {
    check(policy, tool, value, bytes) {
      const { redact, schema, max } = policy.output;
      if (max !== undefined && bytes > max.bytes) {
        return refuse(
          tool,
          `its answer is ${bytes} bytes, the policy's limit is ${max.bytes}`,
          "Ask the tool for less: a page, a filter, fewer fields",
        );
      }
      const place = findNonFinite(value, "result");
      if (place !== null) {
        return refuse(
          tool,
          `${place} is not a finite number, and JSON would make it null`,
          "Ask the tool for less, so that this value is not part of the answer",
        );
      }
      const mismatch = schema === "off" ? null : mismatchOf(tool, value, bytes, formats);
      if (mismatch !== null && schema === "block") {
        return refuse(
          tool,
          `its answer does not fit its own output schema (${mismatch})`,
          "The operator decides with output.schema whether such answers pass",
        );
      }
      const redacted = redact.length === 0 ? { value, redactions: 0 } : redactResult(value, redact);
      try {
        const json = JSON.stringify(redacted.value) ?? "null";
        return { ...redacted, json, mismatch };
      } catch {
        return refuse(tool, "its answer nests too deeply", "Use another tool");
      }
    },
    redactText({ output: { redact } }, text) {
      return redact.length === 0 ? text : String(redactResult(text, redact).value);
    },
    redactValue({ output: { redact } }, value) {
      return redact.length === 0 ? value : redactResult(value, redact).value;
    },
  };
}

function mismatchOf(
  tool: Tool,
  value: unknown,
  bytes: number,
  formats: FormatUse,
): string | null {
  if (tool.outputSchema === null) return null;
  const validation = validateJson(tool.outputSchema, value, bytes, formats);
  if (validation.ok) return null;
  if (validation.problems === null) return validation.reason;
  return validation.problems.map(({ path, message }) => `${path} ${message}`.trim()).join("; ");
}

function refuse(tool: Tool, state: string, hint: string): CheckedOutput {
  const message = `Cannot use the result of "${tool.id}": ${state}`;
  return { error: new GateError("ERR_UPSTREAM_RESULT", message, { hint, tool: tool.id }) };
}
