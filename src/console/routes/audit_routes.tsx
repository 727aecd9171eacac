import type { Hono } from "hono";
import { AUDIT_PAGE_RECORDS, type AuditForm, readAuditForm, toAuditFilter } from "../audit_form.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { GateError } from "../../model/errors.ts";
import { fragment, page, readQuery, type RouteKit } from "../page_context.tsx";
import { AuditLogPage } from "../pages/audit_page.tsx";
import { VerifyStateView } from "../view/verify_state.tsx";

/** Routes of the audit log: search, integrity, downloads. */
export function addAuditRoutes(
  app: Hono<ConsoleEnv>,
  { deps, shellOf, needing }: RouteKit,
): void {
  app.get(
    "/audit",
    needing("audit", async (context) => {
      const form = readAuditForm(readQuery(context));
      const found = await search(deps.queryAudit, form);
      return await page(
        context,
        <AuditLogPage
          shell={shellOf(context)}
          form={form}
          {...found}
          verify={await deps.verifyState()}
          sinks={await deps.sinks()}
          now={deps.now()}
        />,
        found.problem === null ? 200 : 422,
      );
    }),
  );
  app.get(
    "/audit/verify",
    needing("audit", async (context) =>
      await fragment(
        context,
        <VerifyStateView
          state={await deps.verifyState()}
          now={deps.now()}
          formToken={context.get("visit").formToken}
        />,
      )),
  );
  app.post(
    "/audit/verify",
    needing("audit", async (context, principal) => {
      await deps.startVerify(principal);
      return context.redirect("/console/audit#verify", 303);
    }),
  );
  app.get(
    "/audit/export",
    needing("audit", async (context) => {
      const field = readQuery(context);
      const format = field("format") === "csv" ? "csv" : "jsonl";
      const asked = toAuditFilter(readAuditForm(field));
      if ("problem" in asked) {
        throw new GateError("ERR_BAD_REQUEST", `Cannot export: ${asked.problem}`, {
          hint: "Correct the filter on the audit page",
        });
      }
      const exported = await deps.exportAudit(asked.filter, format);
      const response = new Response(exported.body, exported);
      response.headers.set("content-disposition", `attachment; filename="audit.${format}"`);
      return response;
    }),
  );
}

async function search(query: RouteKit["deps"]["queryAudit"], form: AuditForm) {
  const asked = toAuditFilter(form);
  if ("problem" in asked) return { problem: asked.problem, records: [], next: null };
  try {
    const { records, next } = await query({
      ...asked.filter,
      limit: AUDIT_PAGE_RECORDS,
      ...(form.after === "" ? {} : { after: form.after }),
    });
    return { problem: null, records, next: next ?? null };
  } catch (error) {
    if (!(error instanceof GateError) || error.code !== "ERR_BAD_REQUEST") throw error;
    return { problem: `${error.message}. ${error.hint}`, records: [], next: null };
  }
}
