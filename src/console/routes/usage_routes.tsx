import type { Hono } from "hono";
import type { ConsoleEnv } from "../console_session.ts";
import { page, readQuery, type RouteKit } from "../page_context.tsx";
import { UsagePage } from "../pages/usage_page.tsx";
import { renderUsageCsv } from "../usage_csv.ts";
import { readUsageForm, usageRange } from "../usage_form.ts";

/** What was used, by whom, at what cost. */
export function addUsageRoutes(
  app: Hono<ConsoleEnv>,
  { deps, shellOf, needing }: RouteKit,
): void {
  app.get(
    "/usage",
    needing("audit", async (context) => {
      const form = readUsageForm(readQuery(context));
      const report = await deps.usage({ by: form.by, ...usageRange(form.period, deps.now()) });
      return await page(
        context,
        <UsagePage shell={shellOf(context)} form={form} report={report} />,
      );
    }),
  );
  app.get(
    "/usage/export",
    needing("audit", async (context) => {
      const form = readUsageForm(readQuery(context));
      const { rows } = await deps.usage({ by: form.by, ...usageRange(form.period, deps.now()) });
      return context.body(renderUsageCsv(form.by, rows), 200, {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="usage-by-${form.by}.csv"`,
      });
    }),
  );
}
