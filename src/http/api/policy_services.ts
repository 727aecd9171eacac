import type { Catalog } from "../../catalog/catalog.ts";
import { DEFAULT_SPACE } from "../../mcp/caller.ts";
import type { ServerState } from "../../model/catalog.ts";
import type { ActivePolicy } from "../../policy/active_policy.ts";
import { type PolicyProblem, renderProblem } from "../../policy/file/policy_error.ts";
import type { GateExplanation, GateQuestion } from "../../supervisor/call/explain_gate.ts";
import type { ApiDeps } from "./api_deps.ts";

/** The parts of the API that look at the policy. */
export function createPolicyServices(deps: {
  readonly policy: ActivePolicy;
  readonly catalog: () => Promise<Catalog>;
  readonly servers: () => readonly ServerState[];
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
}): Pick<ApiDeps, "policy" | "policyCheck" | "policyTest" | "policyExplain" | "policyReload"> {
  return {
    policy() {
      const { spaces, limits } = deps.policy.current();
      return { ...deps.policy.status(), spaces, limits };
    },
    async policyCheck() {
      await deps.catalog();
      const { problems: found, ...checked } = await deps.policy.check();
      const { source, ...status } = deps.policy.status();
      const { name, digest, since } = status;
      const silent = deps.servers().filter(({ listedAt }) => listedAt === null);
      const problems = [...silent.map(({ server }) => notChecked(server, source)), ...found];
      return {
        source,
        ...status,
        ...checked,
        inForce: { name, digest, since },
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
    policyExplain: ({ as, issuer, call, args, exec, execution, space }) =>
      deps.explain({
        as,
        call,
        args,
        execution: exec,
        space: space ?? DEFAULT_SPACE,
        ...(issuer === undefined ? {} : { issuer }),
        ...(execution === undefined ? {} : { executionId: execution }),
      }),
  };
}

/** A check that looked at nothing must not read like one that found nothing. */
function notChecked(server: string, source: string): PolicyProblem {
  return {
    path: source,
    line: 0,
    severity: "warning",
    kind: "pattern",
    message: `server "${server}" does not answer, so nothing was held against its tools`,
    near: null,
    server,
  };
}
