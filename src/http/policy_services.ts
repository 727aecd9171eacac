import { GateError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import { SCOPES } from "../model/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import { renderProblem } from "../policy/policy_error.ts";
import { lookUp, splitToolName } from "../supervisor/find_tool.ts";
import type { ApiDeps, ExplainRequest } from "./api_routes.ts";

/** The parts of the API that look at the policy. */
export function createPolicyServices(deps: {
  readonly policy: ActivePolicy;
  readonly catalog: () => Promise<Catalog>;
}): Pick<ApiDeps, "policyCheck" | "policyTest" | "policyExplain"> {
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
    async policyTest() {
      await deps.catalog();
      return await deps.policy.test();
    },
    async policyExplain(request) {
      const snapshot = (await deps.catalog()).snapshot();
      const tool = lookUp(snapshot, splitToolName(snapshot, request.call));
      if (tool === null) {
        throw new GateError("ERR_TOOL_NOT_FOUND", `The catalog has no tool "${request.call}"`, {
          hint: 'See "toolgate tools list"',
        });
      }
      const policy = deps.policy.current();
      return policy.explain({
        principal: principalOf(request.as),
        space: request.space ?? "default",
        tool,
        args: request.args ?? {},
        execution: request.exec,
      });
    },
  };
}

/** A made-up principal to explain a decision for; scopes are all unless it names some. */
function principalOf(as: ExplainRequest["as"]): Principal {
  const { sub, client, groups, scopes, spaces, ...claims } = as;
  return {
    sub: sub ?? "explained",
    issuer: "explain",
    client: client ?? "",
    claims: { ...claims, ...(groups === undefined ? {} : { groups }) },
    scopes: scopes ?? SCOPES,
    spaces: spaces ?? null,
  };
}
