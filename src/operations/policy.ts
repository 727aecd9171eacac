import type { ServerState } from "../model/catalog.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import type { ActivePolicy, PolicyStatus } from "../policy/active_policy.ts";
import type { PolicyTestReport } from "../policy/check/policy_tests.ts";
import { type PolicyProblem, renderProblem } from "../policy/file/policy_error.ts";
import type { Policy } from "../policy/policy.ts";
import type { GateExplanation, GateQuestion } from "../supervisor/call/explain_gate.ts";

export interface PolicyInForce extends PolicyStatus, Pick<Policy, "spaces" | "limits"> {}

export function showPolicy(deps: {
  readonly policy: {
    readonly current: () => Pick<Policy, "spaces" | "limits">;
    readonly status: () => PolicyStatus;
  };
}): PolicyInForce {
  const { spaces, limits } = deps.policy.current();
  return { ...deps.policy.status(), spaces, limits };
}

export interface CheckPolicyDeps {
  readonly policy: Pick<ActivePolicy, "check" | "status">;
  /** The check waits for the catalog, because it compares the policy with the existing tools. */
  readonly catalog: () => Promise<unknown>;
  readonly servers: () => readonly ServerState[];
}

/** The problems of the present policy files, and the policy in force. */
export interface PolicyCheck extends Omit<PolicyStatus, "problems"> {
  /** Each with its `text` for people. */
  readonly problems: readonly (PolicyProblem & { readonly text: string })[];
  /** The policy that the service decides with, which may differ from the files. */
  readonly inForce: Pick<PolicyStatus, "name" | "digest" | "since">;
  /** True if no problem is an error; warnings are allowed. */
  readonly ok: boolean;
}

export async function checkPolicy(deps: CheckPolicyDeps): Promise<PolicyCheck> {
  await deps.catalog();
  const { problems: found, ...checked } = await deps.policy.check();
  const status = deps.policy.status();
  const { source, name, digest, since } = status;
  const silent = deps.servers().filter(({ listedAt }) => listedAt === null);
  const problems = [...silent.map(({ server }) => notChecked(server, source)), ...found];
  return {
    ...status,
    ...checked,
    inForce: { name, digest, since },
    ok: problems.every((problem) => problem.severity !== "error"),
    problems: problems.map((problem) => ({ ...problem, text: renderProblem(problem) })),
  };
}

/** The warning that tools of a server were not checked, so that a clean result is not misread. */
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

/** Reads the configured policy again and activates it if it is valid. */
export async function reloadPolicy(deps: {
  readonly policy: Pick<ActivePolicy, "reload">;
  readonly catalog: () => Promise<unknown>;
}): Promise<PolicyStatus> {
  await deps.catalog();
  return await deps.policy.reload();
}

/** Runs the tests in the policy's files. */
export async function testPolicy(deps: {
  readonly policy: Pick<ActivePolicy, "test">;
  readonly catalog: () => Promise<unknown>;
}): Promise<PolicyTestReport> {
  await deps.catalog();
  return await deps.policy.test();
}

export interface ExplainDeps {
  /** Explains with this gate: `explainGate`. */
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
}

/** A question in the form that clients send. */
export interface ExplainRequest extends Pick<GateQuestion, "as" | "issuer" | "call" | "args"> {
  readonly exec: GateQuestion["execution"];
  /** Default: the space of `/mcp`. */
  readonly space?: string;
  /** The execution whose own limits count. */
  readonly execution?: string;
}

export async function explainCall(
  deps: ExplainDeps,
  { exec, space, issuer, execution, ...asked }: ExplainRequest,
): Promise<GateExplanation> {
  return await deps.explain({
    ...asked,
    execution: exec,
    space: space ?? DEFAULT_SPACE,
    ...(issuer === undefined ? {} : { issuer }),
    ...(execution === undefined ? {} : { executionId: execution }),
  });
}
