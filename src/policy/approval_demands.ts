import type { ApprovalDemand } from "../model/decision.ts";
import { renderAskMessage } from "./ask_message.ts";
import { OWNER } from "./file/schema.ts";
import type { RuleHit } from "./match_rules.ts";

/**
 * Makes one demand per approver from all `ask` rules that matched. The call needs every demand, so
 * that adding an `ask` never makes an approval easier.
 *
 * If several rules want the same approver, the narrowest grant wins. Groups come before the owner,
 * because the owner's client could approve without a person.
 */
export function approvalDemands(hits: readonly RuleHit[], args: unknown): ApprovalDemand[] {
  const byApprover = new Map<string, ApprovalDemand>();
  for (const { rule: { rule } } of hits) {
    if (rule.approval === null) continue;
    const { by, expiresMs, covers, max } = rule.approval;
    const message = renderAskMessage(rule.message, args);
    const demand = { rule: rule.id, by, message, expiresMs, covers, max };
    const other = byApprover.get(by);
    byApprover.set(by, other === undefined ? demand : narrower(other, demand));
  }
  return [...byApprover.values()].toSorted((a, b) =>
    Number(a.by === OWNER) - Number(b.by === OWNER) || (a.rule < b.rule ? -1 : 1)
  );
}

function narrower(first: ApprovalDemand, second: ApprovalDemand): ApprovalDemand {
  const bounds = [first, second].filter(({ covers }) => covers === "tool")
    .flatMap(({ max }) => max ?? []);
  const covers = first.covers === "call" || second.covers === "call" ? "call" : "tool";
  return {
    ...first,
    message: [...new Set([first.message, second.message])].filter((text) => text !== "").join(" "),
    expiresMs: Math.min(first.expiresMs, second.expiresMs),
    covers,
    max: covers === "call" || bounds.length === 0 ? null : Math.min(...bounds),
  };
}
