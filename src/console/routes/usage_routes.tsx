import type { Hono } from "hono";
import { renderUsageCsv } from "../../operations/usage_csv.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { page, readQuery, type RouteKit } from "../page_context.tsx";
import { CountingPage, UsagePage } from "../pages/usage_page.tsx";
import { createUsageCache } from "../usage_cache.ts";
import { readUsageForm } from "../usage_form.ts";

/** Routes of the usage page. */
export function addUsageRoutes(
  app: Hono<ConsoleEnv>,
  { deps, shellOf, needing }: RouteKit,
): void {
  const cache = createUsageCache(deps);
  app.get(
    "/usage",
    needing("audit", async (context) => {
      const form = readUsageForm(readQuery(context));
      const shell = shellOf(context);
      const counted = await cache.peek(form);
      if (counted === null) return await page(context, <CountingPage shell={shell} form={form} />);
      return await page(context, <UsagePage shell={shell} form={form} counted={counted} />);
    }),
  );
  // The waiting page polls this: nothing to swap, or a header that reloads the page.
  app.get(
    "/usage/ready",
    needing("audit", async (context) => {
      const counted = await cache.peek(readUsageForm(readQuery(context)));
      return counted === null
        ? context.body(null, 204)
        : context.body(null, 200, { "hx-refresh": "true" });
    }),
  );
  app.get(
    "/usage/export",
    needing("audit", async (context) => {
      const form = readUsageForm(readQuery(context));
      const { report } = await cache.get(form);
      return context.body(renderUsageCsv(form.by, report.rows), 200, {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="usage-by-${form.by}.csv"`,
      });
    }),
  );
}
