import type { GateError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import type { Access, Tool } from "../model/tool.ts";
import type { Policy } from "../policy/policy.ts";

/** What the limits of the policy are counted by. */
export interface QuotaRequest {
  readonly principal: Principal;
  readonly groups: readonly string[];
  readonly space: string;
  readonly execution: string;
  readonly tool: Tool;
  readonly access: Access;
  readonly args: unknown;
  readonly argsBytes: number;
  readonly policy: Policy;
}

/** What one call has reserved. Exactly one of `settle` and `refund` ends it. */
export interface CallQuota {
  /** The call happened: what it really used. */
  settle(actual: { readonly bytes: number; readonly usd: number }): Promise<void>;
  /** The call did not happen. */
  refund(): Promise<void>;
}

export type QuotaAnswer =
  | { readonly ok: true; readonly quota: CallQuota }
  | {
    readonly ok: false;
    readonly limit: string;
    /** RFC 3339; null if it never frees by itself. */
    readonly freesAt: string | null;
    readonly error: GateError;
  };

/** Reserves all counters that apply to a call, or none. */
export interface QuotaGate {
  reserve(request: QuotaRequest): Promise<QuotaAnswer>;
}
