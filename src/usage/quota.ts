/**
 * Quotas: reserved before a call, settled after it.
 *
 * Every limit is one exact counter of the store for each subject and window. A call adds to all of
 * its counters or to none. After a crash a counter may include a call that did not happen, but it
 * never misses one that did. There are no leases: call rates are counted as exactly as money.
 */
import type { LimitRule, LimitScope } from "../model/limit_rule.ts";
import type { Principal } from "../model/principal.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { type AmountProblem, measureArgument } from "./argument_sum.ts";

/** Money and sums are counted in millionths, so that 0.1 + 0.2 is 0.3. */
const FRACTIONS_PER_UNIT = 1_000_000;
/** An execution may wait for an approval for 30 days; its counters outlive that. */
const EXECUTION_TTL_MS = 31 * 86_400_000;
/** Counters outlive their window by this, so that replicas with other clocks still find them. */
const WINDOW_GRACE_MS = 60_000;

/** The facts of a call that select its counters and amounts. */
export interface QuotaCall {
  readonly execution: string;
  readonly principal: Pick<Principal, "issuer" | "sub">;
  readonly groups: readonly string[];
  /** Each of these spaces counts the call. */
  readonly spaces: readonly string[];
  /** Parsed JSON, not trusted. */
  readonly args: unknown;
  /** The price of the tool in US dollars. */
  readonly usd: number;
  /** Limits that a person has let this call pass: counted, not checked. */
  readonly granted?: readonly string[];
}

/** The actual use of the call. */
export interface QuotaActual {
  readonly bytes: number;
  readonly tokens: number;
  readonly usd: number;
}

/** Opaque: the amounts that one call reserved. Ends with exactly one `settle` or `refund`. */
export interface Reservation {
  readonly entries: readonly ReservedEntry[];
}

interface ReservedEntry {
  readonly rule: LimitRule;
  readonly key: string;
  /** In whole counter units. */
  readonly by: number;
  /** Milliseconds since the epoch; after it the counter no longer matters. */
  readonly endsAt: number;
}

export type QuotaAnswer =
  | { readonly ok: true; readonly reservation: Reservation }
  | QuotaRefusal;

export type QuotaRefusal =
  & {
    readonly ok: false;
    /** The first limit that refuses; a limit that denies comes before one that asks. */
    readonly rule: LimitRule;
    /** Every limit that refuses. */
    readonly rules: readonly LimitRule[];
    /** Milliseconds since the epoch; null if time alone never frees the limit. */
    readonly freesAt: number | null;
  }
  & (
    | {
      readonly reason: "over";
      /** The rest of the counter that refuses, in the rule's unit. */
      readonly left: number;
      /** Amount of this call. */
      readonly by: number;
    }
    // The amount of the call cannot be determined.
    | {
      readonly reason: "amount";
      readonly problem: AmountProblem;
    }
  );

/** How far one limit is used, for explanations. */
export interface LimitUse {
  readonly id: string;
  readonly per: LimitScope;
  readonly unit: string;
  readonly max: number;
  /** Use of the fullest counter that the call would add to. */
  readonly used: number;
  /** Amount of this call. */
  readonly by: number;
  /** Whether the limit would let the call pass. */
  readonly fits: boolean;
  readonly over: LimitRule["over"];
  /** The approver of calls beyond the limit. */
  readonly approver: string;
  /** Why the argument to sum cannot be counted; null if it can. */
  readonly problem: AmountProblem | null;
  /** Milliseconds since the epoch; null if time alone never frees the limit. */
  readonly freesAt: number | null;
}

export interface Quotas {
  /** How far the limits of a call are used. Reserves nothing. */
  readonly look: (rules: readonly LimitRule[], call: QuotaCall) => Promise<readonly LimitUse[]>;
  /** @param rules the limits that count this call. */
  readonly reserve: (rules: readonly LimitRule[], call: QuotaCall) => Promise<QuotaAnswer>;
  /** After a call that happened: corrects amounts that were unknown before it. */
  readonly settle: (reservation: Reservation, actual: QuotaActual) => Promise<void>;
  /** Only for a call that certainly did not happen; if in doubt, settle. */
  readonly refund: (reservation: Reservation) => Promise<void>;
}

export interface QuotaDeps {
  readonly store: Pick<Store, "add">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createQuotas(deps: QuotaDeps): Quotas {
  return {
    look: (rules, call) => Promise.all(rules.map((rule) => lookAt(deps, rule, call))),
    reserve: (rules, call) => reserve(deps, rules, call),
    async settle({ entries }, actual) {
      for (const entry of entries) {
        const used = actualUnits(entry.rule, actual);
        if (used !== null) await correct(deps, entry, used - entry.by);
      }
    },
    async refund({ entries }) {
      for (const entry of entries) await correct(deps, entry, -entry.by);
    },
  };
}

/** Narrow subjects first: a refusal then gives back few amounts on counters that others share. */
const SCOPES: readonly LimitScope[] = ["execution", "user", "group", "space", "tenant"];

async function reserve(
  deps: QuotaDeps,
  rules: readonly LimitRule[],
  call: QuotaCall,
): Promise<QuotaAnswer> {
  const time = deps.now();
  const sorted = rules.toSorted((a, b) =>
    SCOPES.indexOf(a.per) - SCOPES.indexOf(b.per) || (a.id < b.id ? -1 : 1)
  );
  const taken: ReservedEntry[] = [];
  const asking: { readonly rule: LimitRule; readonly left: number; readonly by: number }[] = [];
  const giveBack = async () => {
    for (const entry of taken) await correct(deps, entry, -entry.by);
  };
  const refuse = async (
    rule: LimitRule,
    why: { reason: "over"; left: number; by: number } | {
      reason: "amount";
      problem: AmountProblem;
    },
  ): Promise<QuotaAnswer> => {
    await giveBack();
    const { everyMs } = rule;
    // Waiting does not help a call that needs more than the whole limit.
    const isHopeless = why.reason === "amount" || why.by > rule.max;
    const freesAt = isHopeless || everyMs === null ? null : windowEnd(rule, time);
    const rules = [
      rule,
      ...asking.map((refused) => refused.rule).filter((other) => other !== rule),
    ];
    return { ok: false, rule, rules, freesAt, ...why };
  };
  for (const rule of sorted) {
    const reserved = reservedUnits(rule, call);
    if (reserved.problem !== null) {
      return await refuse(rule, { reason: "amount", problem: reserved.problem });
    }
    const by = reserved.units;
    for (const entry of entriesOf(rule, call, by, time)) {
      const max = call.granted?.includes(rule.id) ? undefined : unitsOf(rule, rule.max);
      const { ok, value } = await add(deps, entry, by, max).catch(async (error) => {
        // The store failed: refuse the call and report this failure, not one of giving back.
        // Counting too much is safe.
        await giveBack().catch(() => {});
        throw error;
      });
      if (ok) {
        taken.push(entry);
        continue;
      }
      const scale = unitsOf(rule, 1);
      const left = Math.max(0, unitsOf(rule, rule.max) - value) / scale;
      const amounts = { left, by: by / scale };
      if (rule.over === "deny") return await refuse(rule, { reason: "over", ...amounts });
      if (!asking.some((other) => other.rule === rule)) asking.push({ rule, ...amounts });
    }
  }
  const [first] = asking;
  if (first !== undefined) {
    return await refuse(first.rule, { reason: "over", left: first.left, by: first.by });
  }
  return { ok: true, reservation: { entries: taken } };
}

async function lookAt(deps: QuotaDeps, rule: LimitRule, call: QuotaCall): Promise<LimitUse> {
  const time = deps.now();
  const reserved = reservedUnits(rule, call);
  const by = reserved.units;
  // Without an execution id, no counter of an execution exists yet.
  const counters = rule.per === "execution" && call.execution === ""
    ? []
    : entriesOf(rule, call, 0, time);
  const values = await Promise.all(
    counters.map((entry) => add(deps, entry, 0, undefined)),
  );
  const used = Math.max(0, ...values.map(({ value }) => value));
  const scale = unitsOf(rule, 1);
  const { id, per, unit, max, over } = rule;
  return {
    id,
    per,
    unit,
    max,
    used: used / scale,
    by: (by ?? 0) / scale,
    fits: by !== null && (isCounted(rule, call) ? used + by <= unitsOf(rule, max) : true),
    over,
    approver: rule.by,
    problem: reserved.problem,
    freesAt: rule.everyMs === null ? null : windowEnd(rule, time),
  };
}

/** A limit per group counts nothing for a principal without a group. */
function isCounted(rule: LimitRule, call: QuotaCall): boolean {
  return subjectsOf(rule, call).length > 0;
}

function entriesOf(rule: LimitRule, call: QuotaCall, by: number, time: number): ReservedEntry[] {
  const { everyMs, id, unit } = rule;
  const window = everyMs === null ? call.execution : `${everyMs}-${Math.floor(time / everyMs)}`;
  const endsAt = everyMs === null ? time + EXECUTION_TTL_MS : windowEnd(rule, time);
  return subjectsOf(rule, call).map((subject) => ({
    rule,
    key: keyOf.quota(id, unit, subject, window),
    by,
    endsAt,
  }));
}

function subjectsOf(rule: LimitRule, call: QuotaCall): readonly string[] {
  switch (rule.per) {
    case "execution":
      return ["execution"];
    case "user":
      // One counter per person, for all clients.
      return [`user ${JSON.stringify([call.principal.issuer, call.principal.sub])}`];
    case "group":
      return call.groups.filter((group) => rule.for === null || rule.for.includes(group))
        .map((group) => `group ${group}`);
    case "space":
      return call.spaces.map((space) => `space ${space}`);
    case "tenant":
      return ["tenant"];
  }
}

/** The amount to reserve, in whole counter units; an unreadable amount refuses the call. */
function reservedUnits(
  rule: LimitRule,
  call: QuotaCall,
): { units: number; problem: null } | { units: null; problem: AmountProblem } {
  switch (rule.unit) {
    case "calls":
      return { units: 1, problem: null };
    case "usd":
      return { units: unitsOf(rule, call.usd), problem: null };
    case "tokens":
    case "bytes":
      // The size of the answer is not known yet: reserve one unit to check that there is room.
      return { units: 1, problem: null };
    default: {
      const { sum, problem } = measureArgument(call.args, rule.unit);
      return problem === null ? { units: unitsOf(rule, sum), problem } : { units: null, problem };
    }
  }
}

/** The amount to correct to; null if the reserved amount is already exact. */
function actualUnits(rule: LimitRule, actual: QuotaActual): number | null {
  switch (rule.unit) {
    case "tokens":
      return Math.ceil(actual.tokens);
    case "bytes":
      return Math.ceil(actual.bytes);
    case "usd":
      return unitsOf(rule, actual.usd);
    default:
      return null;
  }
}

/** Counters hold whole numbers. The smallest amount counts as one, so that nothing is free. */
function unitsOf(rule: LimitRule, amount: number): number {
  if (rule.unit === "calls" || rule.unit === "tokens" || rule.unit === "bytes") return amount;
  const units = Math.round(amount * FRACTIONS_PER_UNIT);
  return units === 0 && amount > 0 ? 1 : units;
}

/** Windows are aligned to the epoch: a window of 1d is a day in UTC. */
function windowEnd({ everyMs }: LimitRule, time: number): number {
  const length = everyMs ?? 1;
  return (Math.floor(time / length) + 1) * length;
}

async function correct(deps: QuotaDeps, entry: ReservedEntry, by: number): Promise<void> {
  if (by === 0 || deps.now() >= entry.endsAt) return;
  await add(deps, entry, by, undefined);
}

async function add(
  { store, now }: QuotaDeps,
  { key, endsAt }: ReservedEntry,
  by: number,
  max: number | undefined,
): Promise<{ ok: boolean; value: number }> {
  const ttlMs = Math.max(1, endsAt - now()) + WINDOW_GRACE_MS;
  return await store.add(key, by, max === undefined ? { ttlMs } : { max, ttlMs });
}
