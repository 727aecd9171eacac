import type { Catalog } from "../../catalog/catalog.ts";
import type { QuarantinedTool } from "../../model/catalog.ts";
import type { Limits } from "../../model/limits.ts";
import { lookUp, splitToolName, toolFromName } from "../../model/named_tool.ts";
import type { Tool } from "../../model/tool.ts";
import type { ShownEffect } from "../../model/verdict.ts";
import type { ActivePolicy, ExplainAnswer, ExplainQuestion } from "../../policy/active_policy.ts";
import type { LimitUse, Quotas } from "../../usage/quota.ts";
import { describeAmount } from "../../usage/quota_words.ts";
import { checkArguments } from "../values/check_arguments.ts";
import { lookUpQuarantined } from "./tool_not_found.ts";
import type { FormatUse } from "../values/validate_json.ts";

/** One step of the gate. Steps are listed in the order in which a call passes them. */
export interface GateStep {
  readonly step: "space" | "pin" | "schema" | "class" | "rules" | "limits" | "approval";
  /** `stop`: the call ends here, or would if it came this far; `wait`: a person must approve it. */
  readonly outcome: "pass" | "stop" | "wait";
  readonly text: string;
}

export interface GateQuestion extends Omit<ExplainQuestion, "tool"> {
  /** Whose limits per execution to look at. */
  readonly executionId?: string;
}

/** How the gate would treat a call now, and why. Calls no tool and reserves no limit. */
export interface GateExplanation extends ExplainAnswer {
  readonly call: string;
  /** The effect by pins, rules and limits; ignores arguments, which a question may leave out. */
  readonly effect: ShownEffect;
  /** The effect on exactly this call, arguments included, as its audit record would show it. */
  readonly gateEffect: ShownEffect;
  /** Reasons of the policy alone. */
  readonly because: readonly string[];
  readonly message: string;
  readonly steps: readonly GateStep[];
  readonly limitUses: readonly LimitUse[];
  /** Why the present policy files are not in force; null if they are. */
  readonly rejected: string | null;
}

export interface ExplainGateDeps {
  readonly policy: Pick<ActivePolicy, "explain" | "status">;
  readonly catalog: () => Promise<Pick<Catalog, "snapshot" | "listed">>;
  readonly quotas: Pick<Quotas, "look">;
  readonly limits: Limits;
  readonly formats?: FormatUse;
}

/** Explains a call. The API, the command line and the console all use this answer. */
export async function explainGate(
  deps: ExplainGateDeps,
  question: GateQuestion,
): Promise<GateExplanation> {
  const subject = findSubject(await deps.catalog(), question.call);
  const { tool } = subject;
  const argsText = JSON.stringify(question.args);
  const checked = checkArguments(deps, tool, question.args, argsText);
  const { args } = checked;
  const exact = { ...question, args };
  const explained = deps.policy.explain(subject.isUnknown ? exact : { ...exact, tool });
  const limitUses = await deps.quotas.look(explained.obligations.limits, {
    execution: question.executionId ?? "",
    principal: explained.principal,
    groups: explained.groups,
    spaces: explained.space.countedIn,
    args,
    usd: explained.obligations.priceUsd,
  });
  const misfit = checked.error;
  const { because, message } = explained.decision;
  return {
    ...explained,
    call: question.call,
    effect: effectOf(subject, explained, false, limitUses),
    gateEffect: effectOf(subject, explained, misfit !== null, limitUses),
    because,
    message,
    steps: stepsOf(subject, explained, misfit?.message ?? null, limitUses),
    limitUses,
    rejected: deps.policy.status().rejected,
  };
}

interface Subject {
  readonly tool: Tool;
  /** Why the tool cannot be called although its server lists it; null if callable or not listed. */
  readonly quarantined: QuarantinedTool | null;
  /** No server lists the tool: the explanation holds for a future tool of that name. */
  readonly isUnknown: boolean;
  /** The server has never listed its tools, so it may have this tool. */
  readonly isUnheard: boolean;
}

function findSubject(catalog: Pick<Catalog, "snapshot" | "listed">, name: string): Subject {
  const snapshot = catalog.snapshot();
  const spelling = splitToolName(snapshot.tools, name);
  const callable = lookUp(snapshot.tools, spelling);
  if (callable !== null) return { tool: callable, ...KNOWN };
  const quarantined = lookUpQuarantined(snapshot, spelling);
  const listed = quarantined === null ? null : catalog.listed(quarantined.server, quarantined.name);
  const isUnheard = [...snapshot.servers.values()].some((state) =>
    state.listedAt === null &&
    (state.server === spelling.server || state.serverIdentifier === spelling.server)
  );
  const isUnknown = quarantined === null;
  return { tool: listed ?? toolFromName(name), quarantined, isUnknown, isUnheard };
}

const KNOWN = { quarantined: null, isUnknown: false, isUnheard: false };

/** The first effect in the order of the gate: pin, visibility, arguments, rules, limits. */
function effectOf(
  { quarantined, isUnknown, isUnheard }: Subject,
  { visibility, decision }: ExplainAnswer,
  isMisfit: boolean,
  uses: readonly LimitUse[],
): ShownEffect {
  if (quarantined !== null) return "refused";
  if (visibility === null || (isUnknown && !isUnheard)) return "hidden";
  if (isMisfit) return "refused";
  if (decision.effect !== "allow") return decision.effect;
  const full = uses.filter(({ fits }) => !fits);
  if (full.some(({ over, problem }) => over === "deny" || problem !== null)) return "refused";
  return full.length > 0 ? "ask" : "allow";
}

function stepsOf(
  subject: Subject,
  explained: ExplainAnswer,
  misfit: string | null,
  uses: readonly LimitUse[],
): readonly GateStep[] {
  const { decision } = explained;
  return [
    spaceStep(explained),
    pinStep(subject),
    step("schema", misfit === null ? "pass" : "stop", misfit ?? "The arguments fit"),
    step("class", "pass", decision.access),
    rulesStep(explained),
    limitsStep(uses),
    approvalStep(explained, uses),
  ];
}

function spaceStep({ space, visibility, decision }: ExplainAnswer): GateStep {
  if (space.hasTool) return step("space", "pass", `Space ${space.name} holds the tool`);
  const text = space.canEnter
    ? `Space ${space.name} does not hold the tool`
    : `Space ${space.name} is closed to this principal`;
  // A policy in observe mode lets the call through.
  const isLifted = visibility !== null && decision.effect !== "hidden";
  return step("space", isLifted ? "pass" : "stop", isLifted ? `${text}; only observed` : text);
}

function pinStep({ tool, quarantined, isUnknown, isUnheard }: Subject): GateStep {
  if (quarantined !== null) {
    return step("pin", "stop", `${quarantined.reason}: ${quarantined.detail}`);
  }
  if (isUnheard) return step("pin", "pass", "Not known: its server has not been listed yet");
  if (isUnknown) return step("pin", "stop", "No server lists a tool of this name");
  return step("pin", "pass", `Approved, ${tool.pin.slice(0, 12)}`);
}

function rulesStep({ decision, visibility }: ExplainAnswer): GateStep {
  const because = decision.because.join(", ") || "nothing";
  const observed = decision.observed === null ? "" : `; ${decision.observed} is only observed`;
  const text = `${decision.effect}, because of ${because}${observed}`;
  if (visibility === null) return step("rules", "stop", `${text}; the tool is hidden`);
  if (decision.effect === "allow") return step("rules", "pass", text);
  return step("rules", decision.effect === "ask" ? "wait" : "stop", text);
}

function limitsStep(uses: readonly LimitUse[]): GateStep {
  if (uses.length === 0) return step("limits", "pass", "No limit counts this call");
  const full = uses.filter(({ fits }) => !fits);
  const texts = (full.length > 0 ? full : uses).map(describeUse);
  if (full.length === 0) return step("limits", "pass", texts.join("; "));
  const isDenied = full.some(({ over, problem }) => over === "deny" || problem !== null);
  return step("limits", isDenied ? "stop" : "wait", texts.join("; "));
}

/** `refund-day: 9,950 of 10,000 args.amount used, this call needs 100`. */
function describeUse({ id, used, max, unit, by, fits, problem }: LimitUse): string {
  if (problem !== null) return `${id} ${describeAmount(unit, problem)}`;
  return `${id}: ${used} of ${max} ${unit} used${fits ? "" : `, this call needs ${by}`}`;
}

function approvalStep({ decision }: ExplainAnswer, uses: readonly LimitUse[]): GateStep {
  const needed = [
    ...decision.approvals.map(({ rule, by }) => `${by} for rule ${rule}`),
    ...uses.filter(({ fits, over, problem }) => !fits && over === "ask" && problem === null)
      .map(({ id, by: _, approver }) => `${approver} for limit ${id}`),
  ];
  return needed.length === 0
    ? step("approval", "pass", "Nobody has to approve it")
    : step("approval", "wait", `Needs ${needed.join(", ")}`);
}

function step(name: GateStep["step"], outcome: GateStep["outcome"], text: string): GateStep {
  return { step: name, outcome, text };
}
