import type { Principal } from "./principal.ts";
import type { Access, Tool } from "./tool.ts";

export type Effect = "allow" | "ask" | "deny";

/** How a principal sees one tool in search, in types and in the console. */
export interface Visibility {
  readonly access: Access;
  /** `ask` if some argument may need an approval. */
  readonly effect: "allow" | "ask";
}

/** One call for the policy to decide. */
export interface DecisionRequest {
  readonly principal: Principal;
  readonly space: string;
  readonly tool: Tool;
  /** Parsed JSON arguments. */
  readonly args: unknown;
  readonly execution: {
    /** True once the program has seen a result of an untrusted tool. */
    readonly tainted: boolean;
    /** Servers whose results the program has seen. */
    readonly sources: readonly string[];
  };
}

/** The answer of the policy to one call. */
export interface Decision {
  /** `hidden`: the tool does not exist for this principal. */
  readonly effect: Effect | "hidden";
  readonly access: Access;
  /** Ids of every rule that matched, or one word why none did (`space`, `no-allow-rule`). */
  readonly because: readonly string[];
  /** What the agent should do instead; empty when there is nothing to say. */
  readonly message: string;
  /** The first of `approvals`, when the effect is `ask`. */
  readonly approval: ApprovalDemand | null;
  /** One per approver when the effect is `ask`; the call needs all of them. */
  readonly approvals: readonly ApprovalDemand[];
  /** The effect that `mode: observe` did not enforce; null when enforced. */
  readonly observed: Effect | "hidden" | null;
}

export interface ApprovalDemand {
  readonly rule: string;
  /** A group of the policy, or `owner`. */
  readonly by: string;
  readonly message: string;
  readonly expiresMs: number;
  readonly covers: "call" | "tool";
  /** How often a `tool` grant can be used; null means no bound of its own. */
  readonly max: number | null;
}
