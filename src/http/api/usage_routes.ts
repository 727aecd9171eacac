import { reportFeedback, reportModelUsage } from "../../operations/reports.ts";
import { countUsage } from "../../operations/usage.ts";
import { renderUsageCsv } from "../../operations/usage_csv.ts";
import { created, json } from "./answer.ts";
import { RecordedSchema, UsageAnswerSchema } from "./answers/usage_answers.ts";
import { route } from "./route.ts";
import {
  FeedbackBodySchema,
  ModelUsageBodySchema,
  ReportHeadersSchema,
  UsageQuerySchema,
} from "./inputs/usage_inputs.ts";

/** Routes for usage and for the reports of clients about their own work. */
export const USAGE_ROUTES = [
  route("GET /usage", {
    scope: "audit",
    summary: "KPIs and cost",
    query: UsageQuerySchema,
    answer: json(UsageAnswerSchema, "text/csv"),
    handle: async (deps, { query }) => {
      const usage = await countUsage(deps, query);
      if (query.format === "json") return usage;
      return new Response(renderUsageCsv(query.by, usage.rows), {
        headers: {
          "content-type": "text/csv; charset=utf-8; header=present",
          "content-disposition": `attachment; filename="usage-by-${query.by}.csv"`,
        },
      });
    },
  }),
  route("POST /usage", {
    scope: "execute",
    summary: "Report what a model used for a task or execution",
    headers: ReportHeadersSchema,
    body: ModelUsageBodySchema,
    answer: created(RecordedSchema),
    handle: (deps, { principal, headers, body }) => {
      const id = headers["idempotency-key"];
      return reportModelUsage(deps, principal, { ...(id === undefined ? {} : { id }), ...body });
    },
  }),
  route("POST /feedback", {
    scope: "execute",
    summary: "Report whether a task or execution reached its goal",
    body: FeedbackBodySchema,
    answer: created(RecordedSchema),
    handle: (deps, { principal, body }) => reportFeedback(deps, principal, body),
  }),
] as const;
