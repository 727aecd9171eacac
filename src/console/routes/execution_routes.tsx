import type { Context, Hono } from "hono";
import type { Principal } from "../../model/principal.ts";
import { type ConsoleEnv, findVisit } from "../console_session.ts";
import { buildTimeline } from "../execution_timeline.ts";
import { createLiveStreams } from "../live_stream.ts";
import { page, readQuery, renderFragment, type RouteKit } from "../page_context.tsx";
import { ExecutionPage } from "../pages/execution_page.tsx";
import { ExecutionsPage, LiveExecutionLists } from "../pages/executions_page.tsx";
import { MessagePage } from "../pages/message_page.tsx";
import { Hostile } from "../view/hostile.tsx";

/** Routes of executions: the list of running and ended ones, and each one in full. */
export function addExecutionRoutes(app: Hono<ConsoleEnv>, kit: RouteKit): void {
  const { deps, shellOf, needing } = kit;
  const streams = createLiveStreams({ follow: deps.followAudit });

  app.get(
    "/executions",
    needing("audit", (context) =>
      page(
        context,
        <ExecutionsPage
          shell={shellOf(context)}
          executions={deps.executionsLive()}
          now={deps.now()}
        />,
      )),
  );
  app.get(
    "/executions/stream",
    needing("audit", (context) =>
      streams.open({
        signal: AbortSignal.any([context.req.raw.signal, deps.closing]),
        render: () =>
          renderFragment(
            <LiveExecutionLists executions={deps.executionsLive()} now={deps.now()} />,
          ),
        isAllowed: async () => {
          const visit = await findVisit(deps, context);
          return visit?.principal.scopes.includes("audit") ?? false;
        },
      })),
  );
  app.get("/executions/:id", needing("audit", (...visit) => showOne(kit, ...visit)));
}

/** One execution. Auditors also get its payloads, and the audit log records that. */
async function showOne(
  { deps, shellOf }: RouteKit,
  context: Context<ConsoleEnv>,
  principal: Principal,
): Promise<Response> {
  const id = context.req.param("id") ?? "";
  const isAuditor = principal.scopes.includes("auditor");
  const wanted = readQuery(context)("call");
  const openCall = /^\d{1,9}$/.test(wanted) ? `${id}:${wanted}` : null;
  const view = await deps.showExecution(principal, id, isAuditor ? { call: openCall } : null);
  const timeline = view === null ? null : buildTimeline(id, view);
  const shell = shellOf(context);
  if (timeline === null) {
    return await page(
      context,
      <MessagePage shell={shell} title="No such execution">
        <p>
          The audit log has no execution{" "}
          <code>
            <Hostile text={id} max={100} />
          </code>
          : it is mistyped, or its records are past their retention.
        </p>
      </MessagePage>,
      404,
    );
  }
  return await page(
    context,
    <ExecutionPage
      shell={shell}
      timeline={timeline}
      isAuditor={isAuditor}
      canExplain={principal.scopes.includes("admin")}
      openCall={openCall}
    />,
  );
}
