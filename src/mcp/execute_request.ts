import type { ExecuteRequest } from "../supervisor/program/execution_request.ts";
import type { McpCaller } from "./caller.ts";
import type { McpExchange } from "./exchange.ts";
import { codeOf, type ExecuteInput } from "./tool_definitions.ts";

/**
 * Turns a call of the tool `execute` into the supervisor's request.
 *
 * @throws {GateError} if there is no code. @see codeOf
 */
export function executeRequest(
  caller: McpCaller,
  input: ExecuteInput,
  { task, traceparent, signal, onCall }: McpExchange,
): ExecuteRequest {
  return {
    ...caller,
    code: codeOf(input),
    ...(input.timeoutMs === undefined ? {} : { timeoutMs: input.timeoutMs }),
    ...(input.dryRun === undefined ? {} : { dryRun: input.dryRun }),
    task,
    traceparent,
    signal,
    ...(onCall === undefined ? {} : { onCall }),
  };
}
