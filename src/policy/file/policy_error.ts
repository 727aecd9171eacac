import { GateError } from "../../model/errors.ts";

/** A line of a policy file. */
export interface Place {
  readonly path: string;
  /** 1-based; 0 means the whole file. */
  readonly line: number;
}

/** One mistake in a policy, for a person to correct. */
export interface PolicyProblem extends Place {
  readonly severity: "error" | "warning";
  readonly kind:
    | "syntax"
    | "schema"
    | "clash"
    | "group"
    | "space"
    | "pattern"
    | "condition"
    | "test";
  /** A sentence without a full stop that names the subject. */
  readonly message: string;
  /** The nearest known spelling, if one is near. */
  readonly near: string | null;
  /** With `pattern`: the configured server that it names, which may be down; null otherwise. */
  readonly server?: string | null;
}

/** A policy that cannot be used, with all of its problems. */
export class PolicyError extends GateError {
  readonly path: string;
  readonly line: number;
  readonly near: string | null;
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly [PolicyProblem, ...PolicyProblem[]]) {
    const [first] = problems;
    const more = problems.length > 1 ? `\n${problems.slice(1).map(renderProblem).join("\n")}` : "";
    super("ERR_CONFIG", `Cannot use the policy: ${renderProblem(first)}${more}`, {
      hint: first.near === null ? "Correct the policy file there" : `Did you mean "${first.near}"?`,
    });
    this.path = first.path;
    this.line = first.line;
    this.near = first.near;
    this.problems = problems;
  }
}

/** One line: `policies/acme.yaml:12: rule "x": unknown group "enG"; did you mean "eng"?` */
export function renderProblem(problem: PolicyProblem): string {
  const line = problem.line > 0 ? `:${problem.line}` : "";
  const near = problem.near === null ? "" : `; did you mean "${problem.near}"?`;
  return `${problem.path}${line}: ${problem.message}${near}`;
}
