/** What one counter is kept for. */
export type LimitScope = "execution" | "user" | "group" | "space" | "tenant";

/** What a counter counts: the sum over a numeric argument is written `args.<path>`. */
export type LimitUnit = "calls" | "tokens" | "usd" | "bytes" | `args.${string}`;

/** One quota of the policy. */
export interface LimitRule {
  readonly id: string;
  readonly per: LimitScope;
  /** In the unit: calls, tokens, US dollars, bytes, or the argument's own unit. */
  readonly max: number;
  readonly unit: LimitUnit;
  /** Length of the window, aligned to the epoch in UTC; null counts for the whole execution. */
  readonly everyMs: number | null;
  /** Tool patterns (`server.tool`, `*` for any text); null means every tool. */
  readonly tools: readonly string[] | null;
  /** Groups that the limit is for; null means everybody. */
  readonly for: readonly string[] | null;
  /** What happens at the bound. */
  readonly over: "deny" | "ask";
  /** Who may let a call pass with `over: ask`: a group of the policy, or `owner`. */
  readonly by: string;
  /** What the agent should do instead; empty when there is nothing to say. */
  readonly message: string;
  /** The line of the policy file that demands it, 1-based, for operators; absent where no file does. */
  readonly place?: { readonly path: string; readonly line: number };
}
