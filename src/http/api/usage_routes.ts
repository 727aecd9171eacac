import type { Context, Hono } from "hono";
import { renderUsageCsv } from "../../console/usage_csv.ts";
import type { Principal, Scope } from "../../model/principal.ts";
import { readJson } from "../read_body.ts";
import { parseInput } from "./parse_input.ts";
import {
  FeedbackBodySchema,
  ModelUsageBodySchema,
  ReportIdSchema,
  UsageQuerySchema,
} from "./usage_schemas.ts";
import type { UsageServices } from "./usage_services.ts";

/** Usage, and what clients report of their own work. */
export function addUsageRoutes(
  api: Hono,
  services: Pick<UsageServices, "usage" | "feedback" | "reportUsage">,
  as: (context: Context, scope: Scope) => Promise<Principal>,
): void {
  api.get("/usage", async (context) => {
    await as(context, "audit");
    const query = parseInput(UsageQuerySchema, context.req.query(), "query");
    const usage = await services.usage(query);
    if (query.format === "json") return context.json(usage);
    return context.body(renderUsageCsv(query.by, usage.rows), 200, {
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": `attachment; filename="usage-by-${query.by}.csv"`,
    });
  });
  api.post("/feedback", async (context) => {
    const principal = await as(context, "execute");
    const body = parseInput(FeedbackBodySchema, await readJson(context.req.raw), "body");
    return context.json(await services.feedback(principal, body), 201);
  });
  api.post("/usage", async (context) => {
    const principal = await as(context, "execute");
    const body = parseInput(ModelUsageBodySchema, await readJson(context.req.raw), "body");
    const key = context.req.header("idempotency-key");
    const id = key === undefined ? {} : parseInput(ReportIdSchema, { id: key }, "Idempotency-Key");
    return context.json(await services.reportUsage(principal, { ...id, ...body }), 201);
  });
}
