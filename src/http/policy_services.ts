import type { Catalog } from "../catalog/catalog.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import { renderProblem } from "../policy/policy_error.ts";
import { DEFAULT_SPACE } from "../mcp/caller.ts";
import type { ApiDeps } from "./api_routes.ts";

/** The parts of the API that look at the policy. */
export function createPolicyServices(deps: {
  readonly policy: ActivePolicy;
  readonly catalog: () => Promise<Catalog>;
}): Pick<ApiDeps, "policyCheck" | "policyTest" | "policyExplain" | "policyReload"> {
  return {
    async policyCheck() {
      await deps.catalog();
      const problems = await deps.policy.check();
      return {
        ...deps.policy.status(),
        ok: problems.every((problem) => problem.severity !== "error"),
        problems: problems.map((problem) => ({ ...problem, text: renderProblem(problem) })),
      };
    },
    async policyReload() {
      await deps.catalog();
      return await deps.policy.reload();
    },
    async policyTest() {
      await deps.catalog();
      return await deps.policy.test();
    },
    async policyExplain({ as, call, args, exec, space }) {
      await deps.catalog();
      const explanation = deps.policy.explain({
        as,
        call,
        args: args ?? {},
        execution: exec,
        space: space ?? DEFAULT_SPACE,
      });
      const { effect, because, message } = explanation.decision;
      return { call, effect, because, message, ...explanation };
    },
  };
}
