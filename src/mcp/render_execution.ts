import type { ErrorReport } from "../model/errors.ts";
import type { ExecutionResult, ProgramError } from "../model/execution.ts";

/**
 * An execution as text for a model: the result first, then errors, then logs.
 *
 * It has the facts of `structuredContent`, without those that a model cannot use.
 */
export function renderExecution(execution: ExecutionResult): string {
  const parts: string[] = [];
  if (execution.status === "ok") parts.push(renderValue(execution.result));
  else parts.push(`[${execution.status}]`);
  if (execution.error !== undefined) parts.push(renderError(execution.error));
  if (execution.handle !== undefined) {
    parts.push(
      `The whole result (${execution.handle.bytes} bytes) is kept as resource ${execution.handle.uri}`,
    );
  }
  if (execution.recordPending !== undefined) parts.push(`Note: ${execution.recordPending}`);
  if (execution.planned !== undefined && execution.planned.length > 0) {
    const lines = execution.planned.map((call) => `${call.tool}(${JSON.stringify(call.args)})`);
    parts.push(`Planned, not made:\n${lines.join("\n")}`);
  }
  if (execution.warnings !== undefined) {
    const lines = execution.warnings.map((found) =>
      `${found.line}:${found.column} ${found.message}`
    );
    parts.push(`Check of the program:\n${lines.join("\n")}`);
  }
  if (execution.logs.length > 0) {
    const lines = execution.logs.map((log) =>
      log.level === "log" ? log.text : `[${log.level}] ${log.text}`
    );
    parts.push(`Logs:\n${lines.join("\n")}`);
  }
  return parts.join("\n\n");
}

function renderValue(value: unknown): string {
  if (value === undefined) return "(no result)";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function renderError(error: ProgramError): string {
  const place = error.line === undefined
    ? ""
    : ` (line ${error.line}${error.column === undefined ? "" : `, column ${error.column}`})`;
  const lines = [`${error.name}${place}: ${error.message} [${error.code}]`];
  if (error.hint !== "") lines.push(`Hint: ${error.hint}`);
  if (error.stack !== undefined) lines.push(error.stack);
  return lines.join("\n");
}

/** A refusal before the program ran, in the shape of an execution. */
export function refusedExecution(error: ErrorReport): ExecutionResult {
  return {
    executionId: "",
    status: "error",
    logs: [],
    calls: [],
    error: { code: error.code, name: "GateError", message: error.message, hint: error.hint },
    usage: { wallMs: 0, toolCalls: 0, bytesKeptOut: 0, tokensReturned: 0, tokensKeptOut: 0 },
  };
}
