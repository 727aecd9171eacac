import type { Context, Hono } from "hono";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { RecordedCall } from "../../operations/recorded_call.ts";
import type { GateExplanation } from "../../supervisor/call/explain_gate.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { type ExplainForm, formOfRecord, readExplainForm, toQuestion } from "../explain_form.ts";
import { page, readForm, readQuery, type RouteKit } from "../page_context.tsx";
import { PolicyPage } from "../pages/policy_page.tsx";

/** Routes that show the policy in force and explain its decisions. */
export function addPolicyRoutes(
  app: Hono<ConsoleEnv>,
  { deps, shellOf, needing }: RouteKit,
): void {
  const show = async (
    context: Context<ConsoleEnv>,
    principal: Principal,
    form: ExplainForm,
    answer: Answer,
  ) =>
    await page(
      context,
      <PolicyPage
        shell={shellOf(context)}
        status={deps.policyStatus()}
        spaces={deps.spaces()}
        form={form}
        tools={(await deps.tools(principal)).tools.map(({ tool }) => tool.id)}
        {...answer}
      />,
      answer.problem === null ? 200 : 422,
    );

  app.get(
    "/policy",
    needing("admin", async (context, principal) => {
      const form = readExplainForm(readQuery(context));
      if (form.record === "") return await show(context, principal, form, NOTHING_ASKED);
      const mayOpen = principal.scopes.includes("auditor");
      const recorded = await deps.recordedCall(principal, form.record, mayOpen);
      if (recorded === null) {
        const problem = "The log has no such call: it is mistyped, or past its retention.";
        return await show(context, principal, form, { ...NOTHING_ASKED, problem });
      }
      const asked = formOfRecord(recorded);
      if (recorded.argsText === null) {
        // Without the arguments the gate would answer another question.
        return await show(context, principal, asked, { ...NOTHING_ASKED, recorded });
      }
      const answer = await answerOf(deps.explain, asked);
      return await show(context, principal, asked, { ...answer, recorded });
    }),
  );
  app.post(
    "/policy",
    needing("admin", async (context, principal) => {
      const form = readExplainForm(await readForm(context));
      const recorded = form.record === ""
        ? null
        : await deps.recordedCall(principal, form.record, false);
      const answer = await answerOf(deps.explain, form);
      return await show(context, principal, form, { ...answer, recorded });
    }),
  );
}

interface Answer {
  readonly explanation: GateExplanation | null;
  readonly problem: string | null;
  readonly recorded: RecordedCall | null;
}

const NOTHING_ASKED: Answer = { explanation: null, problem: null, recorded: null };

async function answerOf(
  explain: RouteKit["deps"]["explain"],
  form: ExplainForm,
): Promise<Omit<Answer, "recorded">> {
  const asked = toQuestion(form);
  if ("problem" in asked) return { explanation: null, problem: asked.problem };
  try {
    return { explanation: await explain(asked.question), problem: null };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return { explanation: null, problem: `${error.message}. ${error.hint}` };
  }
}
