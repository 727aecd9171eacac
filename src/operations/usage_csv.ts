import { quoteCsv } from "../audit/export/quote_csv.ts";
import type { UsageFigures } from "../usage/usage_row.ts";

const COLUMNS: readonly (readonly [string, (row: UsageFigures) => number | null])[] = [
  ["cost_usd", (row) => row.costUsd],
  ["tool_usd", (row) => row.toolUsd],
  ["model_usd_reported", (row) => row.modelUsd],
  ["classic_usd_estimate", (row) => row.classicUsdEstimate],
  ["cost_per_success_usd", (row) => row.costPerSuccessUsd],
  ["successful_writes", (row) => row.successfulWrites],
  ["executions", (row) => row.executions],
  ["searches", (row) => row.searches],
  ["calls", (row) => row.calls],
  ["refused", (row) => row.refused],
  ["failed", (row) => row.failed],
  ["tasks", (row) => row.tasks],
  ["completed_tasks", (row) => row.completedTasks],
  ["completed_reported", (row) => row.completedReported],
  ["completed_inferred", (row) => row.completedInferred],
  ["failed_reported", (row) => row.failedReported],
  ["first_try_success", (row) => row.firstTrySuccess],
  ["first_try_success_multi_hop", (row) => row.firstTrySuccessMultiHop],
  ["finish_ms_p50", (row) => row.finishMsP50],
  ["finish_ms_p95", (row) => row.finishMsP95],
  ["active_ms_p50", (row) => row.activeMsP50],
  ["active_ms_p95", (row) => row.activeMsP95],
  ["call_ms_p50", (row) => row.callMsP50],
  ["call_ms_p95", (row) => row.callMsP95],
  ["tokens_definitions_estimate", (row) => row.tokensDefinitions],
  ["tokens_code_estimate", (row) => row.tokensCode],
  ["tokens_returned_estimate", (row) => row.tokensReturned],
  ["tokens_per_completed_task_estimate", (row) => row.tokensPerCompletedTask],
  ["tokens_kept_out_estimate", (row) => row.tokensKeptOut],
  ["model_input_tokens_reported", (row) => row.modelInputTokens],
  ["model_output_tokens_reported", (row) => row.modelOutputTokens],
];

/**
 * Usage as CSV for showback; names that a spreadsheet would run as formulas are written as text.
 *
 * @param by the name of the first column.
 * @see RFC 4180
 */
export function renderUsageCsv(by: string, rows: readonly UsageFigures[]): string {
  const lines = [[by, ...COLUMNS.map(([name]) => name)].join(",")];
  for (const row of rows) {
    lines.push([quoteCsv(row.key), ...COLUMNS.map(([, read]) => read(row) ?? "")].join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}
