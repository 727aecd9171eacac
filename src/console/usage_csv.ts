import type { UsageRow } from "./usage_report.ts";

const COLUMNS: readonly (readonly [string, (row: UsageRow) => number | null | undefined])[] = [
  ["cost_usd", (row) => row.costUsd],
  ["calls", (row) => row.calls],
  ["refused", (row) => row.refused],
  ["failed", (row) => row.failed],
  ["executions", (row) => row.executions],
  ["tasks", (row) => row.tasks],
  ["completed_tasks", (row) => row.completedTasks],
  ["completed_tasks_reported", (row) => row.completedReported],
  ["successful_writes", (row) => row.successfulWrites],
  ["first_try_success", (row) => row.firstTrySuccess],
  ["tokens_per_completed_task", (row) => row.tokensPerCompletedTask],
  ["cost_per_success_usd", (row) => row.costPerSuccessUsd],
  ["finish_ms_p50", (row) => row.finishMsP50],
  ["finish_ms_p95", (row) => row.finishMsP95],
  ["call_ms_p50", (row) => row.callMsP50],
  ["call_ms_p95", (row) => row.callMsP95],
  ["tokens_returned", (row) => row.tokensReturned],
  ["tokens_kept_out", (row) => row.tokensKeptOut],
  ["model_input_tokens", (row) => row.modelInputTokens],
  ["model_output_tokens", (row) => row.modelOutputTokens],
  ["model_usd", (row) => row.modelUsd],
];

/**
 * Usage as CSV, for showback.
 *
 * @param by the name of the first column.
 * @see RFC 4180
 */
export function renderUsageCsv(by: string, rows: readonly UsageRow[]): string {
  const lines = [[by, ...COLUMNS.map(([name]) => name)].join(",")];
  for (const row of rows) {
    lines.push([textCell(row.key), ...COLUMNS.map(([, value]) => value(row) ?? "")].join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** A name that begins like a formula would be run by a spreadsheet; an apostrophe makes it a text. */
function textCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
