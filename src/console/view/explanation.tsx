import type { Explanation, RuleTrace, RuleVerdict } from "../../policy/explain.ts";
import { AUDIENCE_TESTS, TOOL_TESTS } from "../../policy/rule_tests.ts";
import type { GateExplanation, GateStep } from "../../supervisor/call/explain_gate.ts";
import { formatBytes, formatMs, formatUsd } from "../format.ts";
import { makeVisible } from "../visible_text.ts";
import { Hostile } from "./hostile.tsx";
import { AccessBadge, EffectBadge, TableFrame } from "./parts.tsx";

function wordsOf(verdict: RuleVerdict): string {
  if (verdict === "matched") return "applies";
  if (verdict === "when=false") return "condition is false";
  if (verdict === "when=error") return "condition has no answer";
  return { ...TOOL_TESTS, ...AUDIENCE_TESTS }[verdict].words;
}

/** Texts for the words that the policy gives when no rule decided. */
const WORDS: { readonly [word: string]: string } = {
  "no-allow-rule": "No rule allows it, and what nothing allows is denied.",
  space: "The space does not hold the tool, or is closed to this principal.",
};

/** The decision of the gate: each step, and for every rule why it applies or not. */
export function ExplanationView({ explanation }: { explanation: GateExplanation }) {
  const { decision, rules, gateEffect: effect, notes } = explanation;
  const matched = rules.filter((rule) => rule.matched);
  const others = rules.filter((rule) => !rule.matched);
  return (
    <div class={`verdict is-${effect}`}>
      <p class="verdict-head">
        <EffectBadge effect={effect} /> <AccessBadge access={decision.access} />
      </p>
      {notes.map((note) => (
        <p class="note">
          <Hostile text={note} max={500} />
        </p>
      ))}
      <Steps steps={explanation.steps} />
      {decision.because.map((word) => Object.hasOwn(WORDS, word) ? <p>{WORDS[word]}</p> : null)}
      {decision.message === "" ? null : (
        <p class="verdict-message">
          <Hostile text={decision.message} />
        </p>
      )}
      {decision.observed === null ? null : (
        <p>
          Only observed: enforced, it would be <EffectBadge effect={decision.observed} />
        </p>
      )}
      {explanation.visibility === null
        ? <p>For this principal the tool does not exist: no search and no type names it.</p>
        : null}
      <Circumstances explanation={explanation} />
      <h3>
        Rules that apply <span class="count">{matched.length}</span>
      </h3>
      {matched.length === 0
        ? <p class="quiet">None.</p>
        : <Rules rules={matched} label="Rules that apply" />}
      {others.length === 0 ? null : (
        <details open={matched.length === 0}>
          <summary>
            Rules that do not apply <span class="count">{others.length}</span>
          </summary>
          <Rules rules={others} label="Rules that do not apply" />
        </details>
      )}
      <Obligations obligations={explanation.obligations} />
    </div>
  );
}

const STEP_NAMES: { readonly [step in GateStep["step"]]: string } = {
  space: "Space",
  pin: "Pin",
  schema: "Arguments",
  class: "Class",
  rules: "Rules",
  limits: "Limits",
  approval: "Approval",
};

const OUTCOMES: { readonly [outcome in GateStep["outcome"]]: { sign: string; word: string } } = {
  pass: { sign: "✓", word: "passes" },
  stop: { sign: "✕", word: "stops it" },
  wait: { sign: "?", word: "waits" },
};

function Steps({ steps }: { steps: readonly GateStep[] }) {
  return (
    <ol class="steps">
      {steps.map(({ step, outcome, text }) => (
        <li class={`step-${outcome}`}>
          <span class="step-sign" aria-hidden="true">{OUTCOMES[outcome].sign}</span>
          <span class="step-name">{STEP_NAMES[step]}</span>
          <span class="unseen">{OUTCOMES[outcome].word}</span>
          <span class="step-text">
            <Hostile text={text} max={1_000} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function Circumstances({ explanation: { groups, space } }: { explanation: Explanation }) {
  return (
    <dl class="facts">
      <div>
        <dt>Groups</dt>
        <dd>{groups.length === 0 ? "none" : <Hostile text={groups.join(", ")} max={500} />}</dd>
      </div>
      <div>
        <dt>Space</dt>
        <dd>
          <Hostile text={space.name} max={100} />
          {space.canEnter ? null : ", closed to this principal"}
          {space.hasTool ? null : ", without the tool"}
          {space.hasTool || space.toolIsIn.length === 0 ? null : (
            <>
              {"; it is in "}
              <Hostile text={space.toolIsIn.join(", ")} max={200} />
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Rules({ rules, label }: { rules: readonly RuleTrace[]; label: string }) {
  return (
    <TableFrame label={label}>
      <table class="rules">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Effect</th>
            <th scope="col">Why</th>
            <th scope="col" class="middle">Written in</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr>
              <td>
                <code>
                  <Hostile text={rule.id} max={100} />
                </code>
              </td>
              <td>
                <EffectBadge effect={rule.effect} />
                {rule.observe ? <span class="note">observed only</span> : null}
              </td>
              <td>
                {wordsOf(rule.verdict)}
                {rule.detail === "" ? null : (
                  <code class="note">
                    <Hostile text={rule.detail} max={300} />
                  </code>
                )}
              </td>
              <td class="middle place">
                <Hostile text={shortPlace(rule.place)} max={100} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function Obligations({ obligations }: { obligations: Explanation["obligations"] }) {
  const { approvals, limits, redact, resultBytesMax, untrusted, priceUsd } = obligations;
  const isEmpty = approvals.length === 0 && limits.length === 0 && redact.length === 0 &&
    resultBytesMax === null && !untrusted && priceUsd === 0;
  if (isEmpty) return null;
  return (
    <>
      <h3>What comes with it</h3>
      <ul class="plain">
        {approvals.map((approval) => (
          <li>
            Approval by{" "}
            <strong>
              <Hostile text={approval.by} max={100} />
            </strong>{" "}
            within {formatMs(approval.expiresMs)}, for{" "}
            {approval.covers === "call" ? "this call" : "this tool"}
            {approval.message === "" ? null : (
              <>
                {": "}
                <Hostile text={approval.message} max={300} />
              </>
            )}
          </li>
        ))}
        {limits.map((limit) => (
          <li>
            Limit{" "}
            <code>
              <Hostile text={limit.id} max={100} />
            </code>
            : {limit.max} {makeVisible(limit.unit)} per {limit.per}
            {limit.everyMs === null ? null : ` every ${formatMs(limit.everyMs)}`}, then {limit.over}
          </li>
        ))}
        {redact.length === 0 ? null : <li>Results are redacted</li>}
        {resultBytesMax === null ? null : <li>Results up to {formatBytes(resultBytesMax)}</li>}
        {untrusted ? <li>Its results taint the rest of the execution</li> : null}
        {priceUsd === 0 ? null : <li>{formatUsd(priceUsd)} a call</li>}
      </ul>
    </>
  );
}

/** The file's name and the line, without folders. */
function shortPlace({ path, line }: RuleTrace["place"]): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return line > 0 ? `${file}:${line}` : file;
}
