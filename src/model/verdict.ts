import type { Effect } from "./decision.ts";
import type { AuditEvent } from "./event.ts";

/**
 * The outcome of a call as people see it. A call that the policy allowed can still be stopped by a
 * limit or fail at its upstream; only a call that went through is `allow`.
 */
export type ShownEffect =
  | Effect
  | "hidden"
  | "planned" // a dry run: the call was not made
  | "cancelled"
  | "unknown" // the call may have happened
  | "failed" // the call was made and did not succeed
  | "refused"; // not a rule but a limit, a pin or its arguments stopped the call

/** All effects, from good to bad. */
export const SHOWN_EFFECTS: readonly ShownEffect[] = [
  "allow",
  "planned",
  "ask",
  "cancelled",
  "unknown",
  "failed",
  "hidden",
  "refused",
  "deny",
];

/** One reason for a verdict. */
export interface Reason {
  readonly kind: "rule" | "limit" | "word";
  /** An id of the policy, or words. */
  readonly text: string;
}

export interface Verdict {
  readonly effect: ShownEffect;
  readonly reasons: readonly Reason[];
}

type Decided = Pick<
  AuditEvent,
  "kind" | "decision" | "approval" | "err" | "result" | "detail" | "ms"
>;

/** The verdict of a record; null if the record is not about a decision. */
export function verdictOf(record: Decided): Verdict | null {
  const effect = effectOf(record);
  if (effect === null) return null;
  const { kind, decision } = record;
  const hasOutcome = kind === "call.outcome" || kind === "limit.hit";
  const reasons = hasOutcome || decision === undefined ? reasonsOf(record) : becauseOf(decision);
  return { effect, reasons };
}

/** The verdict without its reasons. */
export function effectOf(record: Decided): ShownEffect | null {
  const { kind, decision, detail } = record;
  if (kind === "limit.hit") return detail?.over === "ask" ? "ask" : "refused";
  if (kind === "call.outcome") return effectOfOutcome(record);
  return decision === undefined ? null : knownEffect(decision.effect);
}

/**
 * True if the gate stopped the call, whatever the rules said. A call that needed an approval and
 * did not get it was stopped, too.
 */
export function isStopped(record: Decided): boolean {
  const effect = effectOf(record);
  if (effect === "ask") return record.kind === "limit.hit" || codeOf(record) !== null;
  return effect === "deny" || effect === "hidden" || effect === "refused";
}

/**
 * True if a filter by effect selects a record. The command line, the API and the console all use
 * this function. `deny` selects everything that was stopped, for any reason; other words are exact.
 */
export function hasEffect(record: Decided, wanted: string): boolean {
  return wanted === "deny" ? isStopped(record) : effectOf(record) === wanted;
}

/** The shown effects that a filter by effect can select. */
export function effectsWithin(wanted: string): readonly string[] {
  return wanted === "deny" ? ["deny", "hidden", "refused", "ask"] : [wanted];
}

/** What the gate did with a call, in words that other systems know. */
export type Disposition =
  | "allowed" // the gate passed it on, whatever the upstream answered
  | "denied"
  | "delayed" // it waits for an approval
  | "observed" // the gate passed it on, because the matching rule is only observed
  | "planned" // a dry run
  | "cancelled"; // its caller cancelled it before it was made

/** All exports use it. Null if the record is not about a decision. */
export function dispositionOf(record: Decided): Disposition | null {
  const effect = effectOf(record);
  if (effect === null) return null;
  if (isStopped(record)) return "denied";
  if (effect === "planned") return "planned";
  if (effect === "cancelled" && !wasMade(record)) return "cancelled";
  if (record.decision?.observed !== undefined) return "observed";
  return effect === "ask" && record.approval === undefined ? "delayed" : "allowed";
}

/** True if the call of this outcome may have reached an upstream. */
function wasMade(outcome: Decided): boolean {
  return outcome.ms?.upstream !== undefined || codeOf(outcome) === "ERR_OUTCOME_UNKNOWN";
}

function effectOfOutcome(outcome: Decided): ShownEffect {
  const { decision, result } = outcome;
  const code = codeOf(outcome);
  if (code === null) {
    if (result?.status === "planned" || result?.status === "unknown") return result.status;
    return decision === undefined ? "allow" : knownEffect(decision.effect);
  }
  if (code === "ERR_OUTCOME_UNKNOWN") return "unknown";
  if (wasMade(outcome)) return code === "ERR_CANCELLED" ? "cancelled" : "failed";
  if (isPinned(decision)) return "refused";
  if (decision !== undefined && decision.effect !== "allow") return knownEffect(decision.effect);
  if (code === "ERR_APPROVAL_REQUIRED") return "ask";
  if (code === "ERR_POLICY_DENIED") return "deny";
  if (code === "ERR_TOOL_NOT_FOUND") return "hidden";
  return code === "ERR_CANCELLED" ? "cancelled" : "refused";
}

/** Another version may have written the record: an unknown word never counts as allowed. */
function knownEffect(effect: string): ShownEffect {
  return SHOWN_EFFECTS.find((known) => known === effect) ?? "deny";
}

function codeOf({ err, result }: Decided): string | null {
  if (err !== undefined) return err.code;
  return result?.status.startsWith("ERR_") ? result.status : null;
}

/** First the reason that stopped the call, then the rules that matched. */
function reasonsOf(record: Decided): readonly Reason[] {
  const { decision, detail } = record;
  const rules = decision === undefined ? [] : becauseOf(decision);
  if (typeof detail?.limit === "string") return [{ kind: "limit", text: detail.limit }, ...rules];
  const code = codeOf(record);
  const word = code === null || wasMade(record) ? undefined : WORD_OF_CODE.get(code);
  return word === undefined || isPinned(decision)
    ? rules
    : [{ kind: "word", text: word }, ...rules];
}

/** Reasons other than rules that stop a call, by error code. */
const WORD_OF_CODE: ReadonlyMap<string, string> = new Map([
  ["ERR_LIMIT_REACHED", "a limit"],
  ["ERR_INVALID_ARGUMENTS", "its arguments"],
  ["ERR_TOOL_UNAVAILABLE", "the tool cannot be used"],
  ["ERR_AUDIT_UNAVAILABLE", "it could not be recorded"],
  ["ERR_STORE", "the store"],
]);

/** Words that a decision gives instead of rule ids. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["no-allow-rule", "no rule allows it"],
  ["space", "the space does not hold it"],
  ["hidden", "hidden from this principal"],
  ["no-such-tool", "no such tool"],
  ["bundle-pin", "the bundle pins another definition"],
  ["pending", "its definition was never approved"],
  ["drift", "its definition changed since it was approved"],
  ["blocked", "an operator blocked it"],
  ["malformed", "its definition is malformed"],
  ["collision", "another tool has its name"],
]);

const PIN_WORDS = new Set(["pending", "drift", "blocked", "malformed", "collision", "bundle-pin"]);

/** A rule id may equal one of these words, so only a hidden tool counts as pinned. */
function isPinned(decision: Decided["decision"]): boolean {
  return decision?.effect === "hidden" && decision.because.some((word) => PIN_WORDS.has(word));
}

function becauseOf({ effect, observed, because }: NonNullable<Decided["decision"]>): Reason[] {
  const isHidden = effect === "hidden" || observed === "hidden";
  return because.map((text) => {
    const word = isHidden || text === "no-allow-rule" ? WORDS.get(text) : undefined;
    return word === undefined ? { kind: "rule", text } : { kind: "word", text: word };
  });
}

/** The reasons as one text: `limit refund-day, rule refunds`. */
export function renderReasons(reasons: readonly Reason[]): string {
  return reasons.map(({ kind, text }) => kind === "word" ? text : `${kind} ${text}`).join(", ");
}
