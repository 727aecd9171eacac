/** The owner of one counter. */
export type LimitScope = "execution" | "user" | "group" | "space" | "tenant";

/** The unit of a counter; `args.<path>` is the sum of a numeric argument. */
export type LimitUnit = "calls" | "tokens" | "usd" | "bytes" | `args.${string}`;

/** One quota of the policy. */
export interface LimitRule {
  readonly id: string;
  readonly per: LimitScope;
  /** In calls, tokens, US dollars, bytes, or the argument's own unit. */
  readonly max: number;
  readonly unit: LimitUnit;
  /** Length of the window, aligned to the epoch in UTC; null counts for the whole execution. */
  readonly everyMs: number | null;
  /** Tool patterns (`server.tool`, `*` for any text); null means every tool. */
  readonly tools: readonly string[] | null;
  /** Groups under the limit; null means all callers. */
  readonly for: readonly string[] | null;
  /** The effect of a call over the bound. */
  readonly over: "deny" | "ask";
  /** The approver with `over: ask`: a group of the policy, or `owner`. */
  readonly by: string;
  /** What the agent should do instead; empty when there is nothing to say. */
  readonly message: string;
  /** 1-based line of the policy file, for operators; absent if no file holds the rule. */
  readonly place?: { readonly path: string; readonly line: number };
}
