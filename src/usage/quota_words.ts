import type { LimitRule } from "../model/limit_rule.ts";
import { AMOUNT_MAX, type AmountProblem, ITEMS_MAX } from "./argument_sum.ts";
import type { QuotaRefusal } from "./quota.ts";

/** `Quota "refund-day" is used up until 2026-08-22T00:00:00Z.` and the operator's own words. */
export function describeRefusal(refusal: QuotaRefusal): string {
  const { rule } = refusal;
  const state = refusal.reason === "amount"
    ? describeAmount(rule.unit, refusal.problem)
    : describeState(refusal);
  return `Quota "${rule.id}" ${state}.${rule.message === "" ? "" : ` ${rule.message}`}`;
}

/** What the caller can do about it. */
export function remedyOf(refusal: QuotaRefusal): string {
  const { rule, freesAt } = refusal;
  if (refusal.reason === "amount") {
    return refusal.problem === "unreadable"
      ? `Pass ${rule.unit} as a number that is not negative`
      : "Send less in one call";
  }
  if (rule.over === "ask") {
    return `Beyond this limit ${rule.by} has to approve each call; leave it out or ask them`;
  }
  const sumOf = isSum(rule) ? rule.unit : null;
  if (neverFits(refusal)) {
    return sumOf === null
      ? "Leave this call out; only the operator can raise the limit"
      : `Pass at most ${rule.max} as ${sumOf}, or leave this call out`;
  }
  const smaller = sumOf === null || refusal.left <= 0
    ? ""
    : `Pass at most ${refusal.left} as ${sumOf}, or `;
  if (freesAt === null) return `${smaller}make fewer calls in one program`.replace(/^m/, "M");
  return `${smaller}try again after that time, or leave this call out`.replace(/^t/, "T");
}

/** `needs args.amount to be a number that is not negative` */
export function describeAmount(unit: string, problem: AmountProblem): string {
  switch (problem) {
    case "unreadable":
      return `needs ${unit} to be a number that is not negative`;
    case "large":
      return `cannot count so much: ${unit} is above ${AMOUNT_MAX}, the most that one call may add`;
    case "items":
      return `cannot count so many: ${unit} has more than ${ITEMS_MAX} items`;
  }
}

/** True if this call alone needs more than the whole limit. */
function neverFits(refusal: QuotaRefusal): boolean {
  return refusal.reason === "over" && refusal.by > refusal.rule.max;
}

function describeState(refusal: QuotaRefusal & { readonly reason: "over" }): string {
  const { rule, freesAt, left, by } = refusal;
  if (neverFits(refusal)) {
    const never = rule.over === "deny" ? ", so it can never pass" : "";
    return `is ${rule.max} ${rule.unit} and this call needs ${by}${never}`;
  }
  const until = freesAt === null
    ? "for this execution"
    : `until ${new Date(freesAt).toISOString().replace(".000Z", "Z")}`;
  if (left <= 0) return `is used up ${until}`;
  return `has ${left} of ${rule.max} ${rule.unit} left ${until} and this call needs ${by}`;
}

function isSum({ unit }: LimitRule): boolean {
  return unit.startsWith("args.");
}
