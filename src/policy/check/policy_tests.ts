import type { Decision } from "../../model/decision.ts";
import { findTool, toolFromName, toolsFromName } from "../../model/named_tool.ts";
import { DEFAULT_SPACE } from "../../model/space.ts";
import type { Tool } from "../../model/tool.ts";
import type { RuleTrace } from "../explain.ts";
import type { Placed } from "../file/document.ts";
import type { Place } from "../file/policy_error.ts";
import type { PolicyTest } from "../file/schema.ts";
import type { Policy } from "../policy.ts";
import { principalFromTest } from "../principal_facts.ts";

export interface PolicyTestFailure {
  readonly place: Place;
  readonly call: string;
  readonly expected: string;
  /** The actual result, in the words of `expect`. */
  readonly got: string;
  readonly because: readonly string[];
  /** The call, the expected result, the actual result and the reason. */
  readonly summary: string;
  /** One line: place and summary. */
  readonly message: string;
}

export interface PolicyTestReport {
  readonly total: number;
  readonly passed: number;
  readonly failures: readonly PolicyTestFailure[];
}

/**
 * Runs the tests of a policy. The tests treat every rule as enforced, so that an operator can test
 * a policy that only observes.
 *
 * @param tools the catalog; a tool outside the catalog is tested by its name alone, so that tests
 * run without any upstream. Such a tool may be any HTTP operation, so its test fails only if the
 * result would be wrong for every operation.
 */
export function runPolicyTests(
  policy: Pick<Policy, "tests" | "enforced">,
  tools: readonly Tool[],
): PolicyTestReport {
  const enforced = policy.enforced();
  const failures = policy.tests.flatMap((test) => runTest(enforced, tools, test) ?? []);
  const total = policy.tests.length;
  return { total, passed: total - failures.length, failures };
}

function runTest(
  policy: Pick<Policy, "decide" | "explain" | "visibility">,
  tools: readonly Tool[],
  test: Placed<PolicyTest>,
): PolicyTestFailure | null {
  const principal = principalFromTest(test.as);
  const space = test.space ?? DEFAULT_SPACE;
  const execution = test.exec ?? { tainted: false, sources: [] };
  const decide = (tool: Tool) =>
    policy.decide({ principal, space, tool, args: test.args, execution });
  const found = findTool(tools, test.call);
  const candidates = found === null ? toolsFromName(test.call) : [found];
  for (const tool of candidates) {
    const isHidden = policy.visibility(principal, space, tool) === null;
    if (accepts(test.expect, decide(tool), isHidden)) return null;
  }
  const tool = found ?? toolFromName(test.call);
  const { decision, rules } = policy.explain({
    principal,
    space,
    tool,
    args: test.args,
    execution,
  });
  const got = describeDecision(decision);
  const summary = `${test.call} expected ${test.expect}, got ${got} because of ` +
    decision.because.join(", ") + unanswered(rules);
  return {
    place: test.place,
    call: test.call,
    expected: test.expect,
    got,
    because: decision.because,
    summary,
    message: `${test.place.path}:${test.place.line}: ${summary}`,
  };
}

/** Names conditions that failed: such a call is not decided in the way that the author meant. */
function unanswered(rules: readonly RuleTrace[]): string {
  const failing = rules.filter(({ error }) => error !== null)
    .map(({ id, error }) => `rule "${id}" has no answer: ${error}`);
  return failing.length === 0 ? "" : ` (${failing.join("; ")})`;
}

/**
 * `hidden` also accepts a tool that the rules deny for all arguments, because it is not visible.
 */
function accepts(expected: string, decision: Decision, isHidden: boolean): boolean {
  if (expected === "hidden") return isHidden;
  if (decision.effect !== "ask") return expected === decision.effect;
  const approvers = decision.approvals.map(({ by }) => `ask ${by}`);
  return expected === "ask" || approvers.includes(expected);
}

function describeDecision(decision: Decision): string {
  if (decision.effect !== "ask") return decision.effect;
  return `ask ${decision.approvals.map(({ by }) => by).join(" and ")}`;
}
