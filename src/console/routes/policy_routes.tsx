import type { Context, Hono } from "hono";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { Explanation } from "../../policy/explain.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { type ExplainForm, readExplainForm, toQuestion } from "../explain_form.ts";
import { page, readForm, readQuery, type RouteKit } from "../page_context.tsx";
import { PolicyPage } from "../pages/policy_page.tsx";

/** The policy in force, and what it would decide. */
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
    needing(
      "admin",
      (context, principal) =>
        show(context, principal, readExplainForm(readQuery(context)), {
          explanation: null,
          problem: null,
        }),
    ),
  );
  app.post(
    "/policy",
    needing("admin", async (context, principal) => {
      const form = readExplainForm(await readForm(context));
      return await show(context, principal, form, await answerOf(deps.explain, form));
    }),
  );
}

interface Answer {
  readonly explanation: Explanation | null;
  readonly problem: string | null;
}

async function answerOf(
  explain: RouteKit["deps"]["explain"],
  form: ExplainForm,
): Promise<Answer> {
  const asked = toQuestion(form);
  if ("problem" in asked) return { explanation: null, problem: asked.problem };
  try {
    return { explanation: await explain(asked.question), problem: null };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return { explanation: null, problem: `${error.message}. ${error.hint}` };
  }
}
