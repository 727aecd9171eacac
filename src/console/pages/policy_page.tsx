import { DEFAULT_SPACE } from "../../model/space.ts";
import type { RecordedCall } from "../../operations/recorded_call.ts";
import type { GateExplanation } from "../../supervisor/call/explain_gate.ts";
import type { ConsolePolicy } from "../console_deps.ts";
import type { ExplainForm } from "../explain_form.ts";
import { ExplanationView } from "../view/explanation.tsx";
import { Hostile } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import { Digest, EffectBadge, FormToken, Heading, Reasons, Time } from "../view/parts.tsx";
import { makeVisible } from "../visible_text.ts";

export interface PolicyPageProps {
  readonly shell: Shell;
  readonly status: ReturnType<ConsolePolicy["policyStatus"]>;
  readonly spaces: readonly string[];
  readonly form: ExplainForm;
  /** Names to choose from. */
  readonly tools: readonly string[];
  /** Null before the form was sent, or if the question could not be answered. */
  readonly explanation: GateExplanation | null;
  /** The recorded call that filled the form; null if a person typed it. */
  readonly recorded: RecordedCall | null;
  readonly problem: string | null;
}

const TOOL_NAMES_MAX = 2_000;

export function PolicyPage(props: PolicyPageProps) {
  const { shell, status, explanation, problem, recorded } = props;
  return (
    <Page shell={shell} title="Policy" section="policy">
      <Heading title="Policy" about="Ask what the gate would decide, and why." />
      <Status status={status} />
      <div class="split">
        <section aria-labelledby="question" class="split-form">
          <h2 id="question">Explain a decision</h2>
          <QuestionForm {...props} />
        </section>
        <section aria-labelledby="answer">
          <h2 id="answer">Answer</h2>
          {problem === null ? null : (
            <div class="notice tone-bad" role="alert">
              <p>
                <Hostile text={problem} max={500} />
              </p>
            </div>
          )}
          {recorded === null ? null : <ThenAndNow recorded={recorded} explanation={explanation} />}
          {explanation === null ? null : <ExplanationView explanation={explanation} />}
          {explanation === null && problem === null
            ? (
              <p class="quiet">
                {recorded === null
                  ? "Name a tool and its arguments."
                  : "The arguments of this call are not kept, or are for scope auditor only: type them."}
                {" "}
                Nothing is called: the gate only says what it would do.
              </p>
            )
            : null}
        </section>
      </div>
    </Page>
  );
}

/** The outcome of a recorded call, and whether the policy that decided is still in force. */
function ThenAndNow(
  { recorded, explanation }: Pick<PolicyPageProps, "explanation"> & {
    readonly recorded: RecordedCall;
  },
) {
  const { verdict, policyDigest, execution, call, atMs } = recorded;
  const digestNow = explanation?.policy.digest;
  const isOther = policyDigest !== null && digestNow !== undefined && digestNow !== policyDigest;
  return (
    <div class={`notice ${isOther ? "tone-warn" : ""}`}>
      <p>
        Then, <Time ms={atMs} /> UTC: {verdict === null ? "no decision" : (
          <>
            <EffectBadge effect={verdict.effect} /> <Reasons reasons={verdict.reasons} />
          </>
        )}
        {" · "}
        <a
          href={`/console/executions/${encodeURIComponent(execution)}#call-${
            encodeURIComponent(call.slice(call.lastIndexOf(":") + 1))
          }`}
        >
          the call
        </a>
      </p>
      {explanation === null ? null : (
        <p>
          Now: <EffectBadge effect={explanation.gateEffect} />
        </p>
      )}
      <p>
        {policyDigest === null ? "No rule was asked then." : (
          <>
            Policy then <Digest hash={policyDigest} />
            {digestNow === undefined ? null : (
              <>
                , policy now <Digest hash={digestNow} />
                {isOther ? ": another one." : ": the same."}
              </>
            )}
          </>
        )}
      </p>
    </div>
  );
}

function Status({ status }: { status: PolicyPageProps["status"] }) {
  return (
    <section aria-label="Policy in force">
      <dl class="facts in-row">
        <div>
          <dt>In force</dt>
          <dd>
            <Hostile text={status.name} max={100} />{" "}
            <span class={`badge tone-${status.mode === "enforce" ? "good" : "warn"}`}>
              {status.mode}
            </span>{" "}
            since <Time ms={Date.parse(status.since)} /> UTC
          </dd>
        </div>
        <div>
          <dt>From</dt>
          <dd>
            <code>
              <Hostile text={status.source} max={200} />
            </code>
          </dd>
        </div>
        <div>
          <dt>Digest</dt>
          <dd>
            <Digest hash={status.digest} />
          </dd>
        </div>
      </dl>
      {status.rejected === null ? null : (
        <div class="notice tone-bad">
          <p>
            <strong>A newer version was not activated.</strong>
          </p>
          <p>
            <Hostile text={status.rejected} />
          </p>
        </div>
      )}
      <Remarks problems={status.problems} />
    </section>
  );
}

function Remarks({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <details class="notice tone-warn">
      <summary>
        {problems.length} {problems.length === 1 ? "remark" : "remarks"} about the policy
      </summary>
      <ul>
        {problems.slice(0, 100).map((problem) => (
          <li>
            <Hostile text={problem} max={500} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function QuestionForm({ shell, form, tools, spaces }: PolicyPageProps) {
  return (
    <form method="post" action="/console/policy#answer" class="form">
      <FormToken token={shell.visit?.formToken ?? ""} />
      <input type="hidden" name="issuer" value={form.issuer} />
      <input type="hidden" name="record" value={form.record} />
      <div class="field">
        <label for="call">Tool</label>
        <input
          id="call"
          name="call"
          list="tool-names"
          value={form.call}
          required
          maxlength={500}
          placeholder="pay.refund"
          autocomplete="off"
          class="code-input"
        />
        <datalist id="tool-names">
          {tools.slice(0, TOOL_NAMES_MAX).map((name) => <option value={name}></option>)}
        </datalist>
      </div>
      <div class="field">
        <label for="args">Arguments, JSON</label>
        <textarea id="args" name="args" rows={6} class="code-input">
          {form.args === "" ? "{}" : form.args}
        </textarea>
      </div>
      <fieldset>
        <legend>Who calls</legend>
        <div class="pair">
          <TextField name="sub" label="Subject" value={form.sub} placeholder="ada" />
          <TextField name="client" label="Client" value={form.client} placeholder="any" />
        </div>
        <TextField
          name="groups"
          label="Groups of the policy, or values of the claim"
          value={form.groups}
          placeholder="finance, acme-eng"
        />
        <TextField name="scopes" label="Scopes" value={form.scopes} placeholder="none" />
      </fieldset>
      <div class="field">
        <label for="space">Space</label>
        <select id="space" name="space">
          {[...new Set([DEFAULT_SPACE, ...spaces, ...(form.space === "" ? [] : [form.space])])].map(
            (
              space,
            ) => <option value={space} selected={space === form.space}>{makeVisible(space)}
            </option>,
          )}
        </select>
      </div>
      <label class="check">
        <input type="checkbox" name="tainted" value="yes" checked={form.tainted} />
        The program has read untrusted data
      </label>
      <TextField
        name="sources"
        label="Servers whose results it has read"
        value={form.sources}
        placeholder="none"
      />
      <button type="submit" class="primary">Explain</button>
    </form>
  );
}

interface TextFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
}

function TextField({ name, label, value, placeholder }: TextFieldProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        value={value}
        placeholder={placeholder}
        maxlength={2_000}
        autocomplete="off"
      />
    </div>
  );
}
