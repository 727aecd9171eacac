import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Quotas } from "../../usage/quota.ts";
import { describeRefusal, remedyOf } from "../../usage/quota_words.ts";

/** The call that the policy's limits count. */
export interface QuotaRequest {
  readonly principal: Principal;
  readonly space: string;
  readonly execution: string;
  readonly tool: Tool;
  readonly args: unknown;
  readonly policy: Policy;
}

/** The quota that one call has reserved. Exactly one of `settle` and `refund` ends it. */
export interface CallQuota {
  /** Counts what the call really used, because it happened or may have happened. */
  settle(actual: { readonly bytes: number; readonly tokens: number }): Promise<void>;
  /** Gives everything back, because the call certainly did not happen. */
  refund(): Promise<void>;
}

export type QuotaGateAnswer =
  | { readonly ok: true; readonly quota: CallQuota }
  | {
    readonly ok: false;
    readonly limit: string;
    /** When the limit has room again, RFC 3339; null if that never happens by itself. */
    readonly freesAt: string | null;
    readonly error: GateError;
  };

/** Reserves all counters that apply to a call, or none. */
export interface QuotaGate {
  reserve(request: QuotaRequest): Promise<QuotaGateAnswer>;
}

const NOTHING: CallQuota = {
  settle: () => Promise.resolve(),
  refund: () => Promise.resolve(),
};

export function createQuotaGate(quotas: Quotas, now: () => number): QuotaGate {
  return {
    async reserve({ principal, space, execution, tool, args, policy }) {
      const rules = policy.limitsFor({ principal, tool });
      if (rules.length === 0) return { ok: true, quota: NOTHING };
      const usd = policy.price(tool);
      const groups = policy.groups(principal);
      const spaces = policy.countedIn(principal, space, tool);
      const call = { execution, principal, groups, spaces, args, usd };
      const answer = await quotas.reserve(rules, call);
      if (answer.ok) {
        return {
          ok: true,
          quota: {
            settle: (actual) => quotas.settle(answer.reservation, { ...actual, usd }),
            refund: () => quotas.refund(answer.reservation),
          },
        };
      }
      const { rule, freesAt } = answer;
      if (answer.reason === "amount") {
        return {
          ok: false,
          limit: rule.id,
          freesAt: null,
          error: new GateError(
            "ERR_INVALID_ARGUMENTS",
            `Cannot call "${tool.id}": ${describeRefusal(answer)}`,
            { hint: remedyOf(answer), tool: tool.id },
          ),
        };
      }
      const asks = rule.over === "ask";
      return {
        ok: false,
        limit: rule.id,
        freesAt: freesAt === null ? null : new Date(freesAt).toISOString(),
        error: new GateError(
          asks ? "ERR_APPROVAL_REQUIRED" : "ERR_LIMIT_REACHED",
          `Cannot call "${tool.id}": ${describeRefusal(answer)}`,
          {
            hint: remedyOf(answer),
            tool: tool.id,
            ...(freesAt === null ? {} : { retryAfterMs: Math.max(0, freesAt - now()) }),
          },
        ),
      };
    },
  };
}
