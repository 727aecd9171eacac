import type { SinkStatus } from "../../audit/ship/ship_line.ts";
import { AUDIT_KINDS, type AuditRecord } from "../../model/event.ts";
import { recordKey } from "../../model/record_key.ts";
import { renderReasons, SHOWN_EFFECTS, verdictOf } from "../../model/verdict.ts";
import { type AuditForm, auditQueryString } from "../audit_form.ts";
import type { AuditVerifyState } from "../audit_checker.ts";
import { formatMs } from "../format.ts";
import { Hostile, ToolName } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import {
  EffectBadge,
  EmptyState,
  Heading,
  ShortId,
  StatusBadge,
  TableFrame,
  Time,
} from "../view/parts.tsx";
import { Payload } from "../view/payload.tsx";
import { ShippingView } from "../view/shipping.tsx";
import { VerifyStateView } from "../view/verify_state.tsx";
import { makeVisible } from "../visible_text.ts";

export interface AuditPageProps {
  readonly shell: Shell;
  readonly form: AuditForm;
  readonly problem: string | null;
  readonly records: readonly AuditRecord[];
  /** Cursor of the next page; null: this is the last. */
  readonly next: string | null;
  readonly verify: AuditVerifyState;
  readonly sinks: readonly SinkStatus[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function AuditLogPage(props: AuditPageProps) {
  const { shell, form, problem, verify, now } = props;
  const query = auditQueryString(form);
  return (
    <Page shell={shell} title="Audit" section="audit">
      <Heading title="Audit" about="Every search, execution, call and decision, in order.">
        <a class="button" href={`/console/audit/export?${withFormat(query, "csv")}`} download>
          CSV
        </a>
        <a class="button" href={`/console/audit/export?${withFormat(query, "jsonl")}`} download>
          JSON Lines
        </a>
      </Heading>
      <VerifyStateView state={verify} now={now} formToken={shell.visit?.formToken ?? ""} />
      <ShippingView sinks={props.sinks} />
      <Filters form={form} />
      {problem === null ? null : (
        <div class="notice tone-bad" role="alert">
          <p>{problem}</p>
        </div>
      )}
      <Records {...props} query={query} />
    </Page>
  );
}

function Filters({ form }: { form: AuditForm }) {
  return (
    <form method="get" action="/console/audit" class="filters" role="search">
      <Field name="since" label="From (UTC)" type="datetime-local" value={form.since} />
      <Field name="until" label="Until (UTC)" type="datetime-local" value={form.until} />
      <Field name="principal" label="Who" value={form.principal} />
      <Field name="tool" label="Tool" value={form.tool} placeholder="pay.refund or pay.*" />
      <Field name="execution" label="Execution" value={form.execution} />
      <Choice name="effect" label="Effect" value={form.effect} values={SHOWN_EFFECTS} />
      <Choice name="kind" label="Kind" value={form.kind} values={AUDIT_KINDS} />
      <div class="buttons">
        <button type="submit" class="primary">Search</button>
        {auditQueryString(form) === "" ? null : <a class="button" href="/console/audit">Clear</a>}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly type?: string;
  readonly placeholder?: string;
}

function Field({ name, label, value, type = "text", placeholder }: FieldProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        placeholder={placeholder}
        maxlength={500}
        autocomplete="off"
      />
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
}

function Choice({ name, label, value, values }: ChoiceProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">any</option>
        {values.map((choice) => <option value={choice} selected={choice === value}>{choice}
        </option>)}
      </select>
    </div>
  );
}

function Records({ records, next, form, query }: AuditPageProps & { readonly query: string }) {
  if (records.length === 0) {
    return (
      <EmptyState title={form.after === "" ? "No record fits" : "No older records"}>
        {query === ""
          ? <p>The log is empty: run a program, and its calls are recorded here.</p>
          : (
            <p>
              Widen the time or drop a filter, or <a href="/console/audit">show everything</a>.
            </p>
          )}
      </EmptyState>
    );
  }
  const older = new URLSearchParams(query);
  if (next !== null) older.set("after", next);
  return (
    <>
      <TableFrame label="Records">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Time (UTC)</th>
              <th scope="col">Kind</th>
              <th scope="col">Who</th>
              <th scope="col">Tool</th>
              <th scope="col">Effect</th>
              <th scope="col">Status</th>
              <th scope="col" class="number middle">Took</th>
              <th scope="col" class="middle">Execution</th>
            </tr>
          </thead>
          <tbody>
            {records.map((record) => (
              <>
                <RecordRow record={record} href={recordHref(record, form, query)} />
                {recordKey(record) === form.open ? <RecordDetails record={record} /> : null}
              </>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {form.after === "" && next === null ? null : (
        <nav class="pages" aria-label="Pages">
          {form.after === "" ? null : <a class="button" href={`/console/audit?${query}`}>Newest</a>}
          {next === null ? null : <a class="button" href={`/console/audit?${older}`}>Older</a>}
        </nav>
      )}
    </>
  );
}

function RecordRow({ record, href }: { record: AuditRecord; href: string }) {
  const { actor, tool, result, err, ms, execution } = record;
  const status = err?.code ?? result?.status;
  const verdict = verdictOf(record);
  return (
    <tr>
      <td>
        <a href={href}>
          <Time ms={Date.parse(record.ts)} />
        </a>
      </td>
      <td>{makeVisible(record.kind)}</td>
      <td>
        <Hostile text={actor?.sub ?? ""} max={60} />
      </td>
      <td>
        {tool === undefined
          ? <Summary record={record} />
          : <ToolName name={`${tool.server}.${tool.name}`} max={100} />}
      </td>
      <td>
        {verdict === null ? null : <EffectBadge effect={verdict.effect} />}
        {verdict === null || verdict.reasons.length === 0 ? null : (
          <span class="note">
            <Hostile text={renderReasons(verdict.reasons)} max={200} />
          </span>
        )}
      </td>
      <td>{status === undefined ? null : <StatusBadge status={status} />}</td>
      <td class="number middle">{ms?.total === undefined ? null : formatMs(ms.total)}</td>
      <td class="middle">
        {execution === undefined
          ? null
          : (
            <a href={`/console/executions/${encodeURIComponent(execution)}`}>
              <ShortId id={execution} />
            </a>
          )}
      </td>
    </tr>
  );
}

/** The record as stored; the hash chain covers exactly these values. */
function RecordDetails({ record }: { record: AuditRecord }) {
  return (
    <tr class="opened" id="record">
      <td colspan={8}>
        <Payload
          text={JSON.stringify(record)}
          bytes={null}
          isAuditor={false}
          label="Record"
          nothing=""
          missing=""
        />
      </td>
    </tr>
  );
}

/** Link to the same page with one record in full. */
function recordHref(record: AuditRecord, form: AuditForm, query: string): string {
  const params = new URLSearchParams(query);
  if (form.after !== "") params.set("after", form.after);
  params.set("open", recordKey(record));
  return `/console/audit?${params}#record`;
}

/** A few words about a record without a tool. */
function Summary({ record: { detail } }: { record: AuditRecord }) {
  const words = [detail?.query, detail?.action, detail?.type, detail?.server, detail?.source]
    .find((value) => typeof value === "string");
  return words === undefined ? null : (
    <span class="quiet">
      <Hostile text={String(words)} max={80} />
    </span>
  );
}

function withFormat(query: string, format: string): string {
  const params = new URLSearchParams(query);
  params.set("format", format);
  return params.toString();
}
