import type { Effect } from "./decision.ts";
import type { AuditEvent } from "./event.ts";

/**
 * What became of a call, as people are shown it. A policy that allowed a call says little about a call
 * that a limit stopped or an upstream failed: only what went through is `allow`.
 */
export type ShownEffect =
  | Effect
  | "hidden"
  | "planned" // a dry run: it was not made
  | "cancelled"
  | "unknown" // it may have happened
  | "failed" // it was made and did not succeed
  | "refused"; // something else than a rule stopped it: a limit, a pin, its arguments

/** From good to bad; every one there is. */
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

/** Why it became that, the decisive reason first. */
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

/** What a record says became of it; null for a record of something that nobody decides. */
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
 * Whether a record is about something that the gate stopped, whatever its rules said. A call that a
 * rule asks about and nobody approved was stopped, too.
 */
export function isStopped(record: Decided): boolean {
  const effect = effectOf(record);
  if (effect === "ask") return record.kind === "limit.hit" || codeOf(record) !== null;
  return effect === "deny" || effect === "hidden" || effect === "refused";
}

/**
 * Whether a filter by effect wants a record: the one answer for the command line, the API and the
 * console. `deny` is everything that was stopped, by whatever; the other words are exact.
 */
export function hasEffect(record: Decided, wanted: string): boolean {
  return wanted === "deny" ? isStopped(record) : effectOf(record) === wanted;
}

/** What records can be filed under that a filter by effect wants. */
export function effectsWithin(wanted: string): readonly string[] {
  return wanted === "deny" ? ["deny", "hidden", "refused", "ask"] : [wanted];
}

/** What the gate did with a call, in the few words that other systems know. */
export type Disposition =
  | "allowed" // it was let through, whatever the upstream made of it
  | "denied"
  | "delayed" // it waits for a person
  | "observed" // it was let through, since the rule that matched is only observed
  | "planned" // a dry run
  | "cancelled"; // its caller took it back before it was made

/** The same for every export; null for a record of something that nobody decides. */
export function dispositionOf(record: Decided): Disposition | null {
  const effect = effectOf(record);
  if (effect === null) return null;
  if (isStopped(record)) return "denied";
  if (effect === "planned") return "planned";
  if (effect === "cancelled" && !wasMade(record)) return "cancelled";
  if (record.decision?.observed !== undefined) return "observed";
  return effect === "ask" && record.approval === undefined ? "delayed" : "allowed";
}

/** Whether an upstream may have heard of the call that this outcome ends. */
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

/** Records are read, not made here: a word that this version does not know is not an allowance. */
function knownEffect(effect: string): ShownEffect {
  return SHOWN_EFFECTS.find((known) => known === effect) ?? "deny";
}

function codeOf({ err, result }: Decided): string | null {
  if (err !== undefined) return err.code;
  return result?.status.startsWith("ERR_") ? result.status : null;
}

/** What stopped it, then the rules that matched. */
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

/** What stops a call that no rule stops. */
const WORD_OF_CODE: ReadonlyMap<string, string> = new Map([
  ["ERR_LIMIT_REACHED", "a limit"],
  ["ERR_INVALID_ARGUMENTS", "its arguments"],
  ["ERR_TOOL_UNAVAILABLE", "the tool cannot be used"],
  ["ERR_AUDIT_UNAVAILABLE", "it could not be recorded"],
  ["ERR_STORE", "the store"],
]);

/** What decisions say instead of rules. */
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

/** Only what hides a tool is said in words; a rule may have any of them for its id. */
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
