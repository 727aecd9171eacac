import type { Explanation } from "../../policy/explain.ts";
import type { ConsolePolicy } from "../console_deps.ts";
import type { ExplainForm } from "../explain_form.ts";
import { ExplanationView } from "../view/explanation.tsx";
import { Hostile } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import { makeVisible } from "../visible_text.ts";
import { Digest, FormToken, Heading } from "../view/parts.tsx";

export interface PolicyPageProps {
  readonly shell: Shell;
  readonly status: ReturnType<ConsolePolicy["policyStatus"]>;
  readonly spaces: readonly string[];
  readonly form: ExplainForm;
  /** Names to choose from. */
  readonly tools: readonly string[];
  /** Null before the form was sent, or if it could not be answered. */
  readonly explanation: Explanation | null;
  readonly problem: string | null;
}

const TOOL_NAMES_MAX = 2_000;

export function PolicyPage(props: PolicyPageProps) {
  const { shell, status, explanation, problem } = props;
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
          {explanation === null ? null : <ExplanationView explanation={explanation} />}
          {explanation === null && problem === null
            ? (
              <p class="quiet">
                Name a tool and its arguments. Nothing is called: the policy alone answers.
              </p>
            )
            : null}
        </section>
      </div>
    </Page>
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
            </span>
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
          label="Groups claim"
          value={form.groups}
          placeholder="acme-finance, acme-eng"
        />
        <TextField name="scopes" label="Scopes" value={form.scopes} placeholder="all" />
      </fieldset>
      <div class="field">
        <label for="space">Space</label>
        <select id="space" name="space">
          {[...new Set(["default", ...spaces])].map((space) => (
            <option value={space} selected={space === form.space}>{makeVisible(space)}</option>
          ))}
        </select>
      </div>
      <label class="check">
        <input type="checkbox" name="tainted" value="yes" checked={form.tainted} />
        The program has read untrusted data
      </label>
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
