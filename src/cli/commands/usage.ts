import type { UsageAnswer } from "../../operations/usage.ts";
import { USAGE_BY, type UsageFigures } from "../../usage/usage_row.ts";
import { PERIOD, periodOf } from "../audit_filters.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { oneOf } from "../one_of.ts";
import { renderTable } from "../table.ts";
import { usageError } from "../usage_error.ts";

export const usageCommand: Command = {
  name: "usage",
  summary: "What agents used, what it cost, and how often it worked",
  options: {
    by: { value: "WHAT", about: `${USAGE_BY.join(", ")}; default principal` },
    ...PERIOD,
    csv: { about: "Rows as CSV, for showback" },
  },
  examples: [
    "toolgate usage --by group --since 30d",
    "toolgate usage --by tool --since 7d",
    "toolgate usage --by principal --since 2026-04-01 --until 2026-05-01 --csv",
  ],
  async run(context) {
    const by = oneOf(context, "by", USAGE_BY) ?? "principal";
    if (context.json && context.flag("csv")) {
      throw usageError("--json and --csv do not go together", "Choose one");
    }
    const query = { by, ...periodOf(context) };
    const client = await context.connect();
    if (context.flag("csv")) {
      const response = await client.send("GET /usage", { query: { ...query, format: "csv" } });
      context.output.result(await response.text());
      return EXIT.ok;
    }
    const usage = await client.call("GET /usage", { query });
    if (context.json) context.output.json(usage);
    else {
      if (usage.rows.length > 0) context.output.result(renderRows(usage));
      context.output.note(renderTotal(usage));
    }
    return EXIT.ok;
  },
};

function renderRows({ by, rows }: UsageAnswer): string {
  const isTool = by === "tool";
  return renderTable(
    [
      ...[by.toUpperCase(), "COST", "CALLS", "FAILED", "REFUSED", "EXECUTIONS", "TASKS", "DONE"],
      ...["FIRST TRY", isTool ? "CALL P50" : "P50", isTool ? "CALL P95" : "P95", "KEPT OUT"],
      "CLASSIC (EST.)",
    ],
    rows.map((row) => [
      row.key === "" ? "(none)" : row.key,
      usd(row.costUsd),
      String(row.calls),
      String(row.failed),
      String(row.refused),
      String(row.executions),
      String(row.tasks),
      String(row.completedTasks),
      share(row.firstTrySuccess),
      duration(isTool ? row.callMsP50 : row.finishMsP50),
      duration(isTool ? row.callMsP95 : row.finishMsP95),
      tokens(row.tokensKeptOut),
      usd(row.classicUsdEstimate),
    ]),
  );
}

function renderTotal({ total, usdPerMillionTokens, tasksAreCut }: UsageAnswer): string {
  const { tasksBy } = total;
  const lines = [
    `Tasks       ${total.tasks} (by client's id ${tasksBy.task}, trace ${tasksBy.trace}, ` +
    `session ${tasksBy.session}, pause ${tasksBy.gap})`,
    `Completed   ${total.completedTasks}: ${total.completedReported} reported, ` +
    `${total.completedInferred} inferred; ${total.failedReported} reported as failed`,
    `First try   ${share(total.firstTrySuccess)}; ` +
    `of tasks with two calls or more ${share(total.firstTrySuccessMultiHop)}`,
    `Finished in ${duration(total.finishMsP50)} (p95 ${duration(total.finishMsP95)}), ` +
    `without people ${duration(total.activeMsP50)} (p95 ${duration(total.activeMsP95)})`,
    `Cost        ${usd(total.costUsd)}: tools ${usd(total.toolUsd)}, models ${
      total.modelUsd === null ? "not reported" : usd(total.modelUsd)
    }; ${usd(total.costPerSuccessUsd)} for each of ${total.successfulWrites} successful writes`,
    `Tokens      ${tokens(total.tokensPerCompletedTask)} for each completed task, ` +
    `${tokens(total.tokensKeptOut)} kept out (estimates)`,
    `Classic     ${
      usd(total.classicUsdEstimate)
    } more, an estimate: the tokens kept out as input ` +
    `at ${usd(usdPerMillionTokens)} a million`,
    ...modelLines(total),
  ];
  if (tasksAreCut) lines.push("There were very many tasks at once: some count as two.");
  return lines.join("\n");
}

function modelLines({ modelInputTokens, modelOutputTokens }: UsageFigures): string[] {
  if (modelInputTokens === null || modelOutputTokens === null) return [];
  return [`Models      ${modelInputTokens} tokens in, ${modelOutputTokens} out, as reported`];
}

function usd(amount: number | null): string {
  if (amount === null) return "–";
  return `$${amount.toFixed(amount !== 0 && amount < 1 ? 4 : 2)}`;
}

function share(value: number | null): string {
  return value === null ? "–" : `${Math.round(value * 1_000) / 10} %`;
}

function duration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

function tokens(count: number | null): string {
  if (count === null) return "–";
  if (count < 10_000) return String(Math.round(count));
  return count < 1e6 ? `${Math.round(count / 1_000)} k` : `${(count / 1e6).toFixed(2)} M`;
}
