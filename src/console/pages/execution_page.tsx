import type { Child } from "hono/jsx";
import { SHOWN_EFFECTS } from "../../model/verdict.ts";
import type { ExecutionTimeline, TimelineCall } from "../execution_timeline.ts";
import { formatBytes, formatClock, formatMs, formatShort, formatUsd } from "../format.ts";
import { callLinesOf, markLines } from "../line_marks.ts";
import { CodeView } from "../view/code_view.tsx";
import { Hostile } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import { EmptyState, Heading, ShortId, Stat, StatusBadge, Time } from "../view/parts.tsx";
import { CallEntry } from "../view/call_entry.tsx";
import { makeVisible } from "../visible_text.ts";
import { Payload } from "../view/payload.tsx";

export interface ExecutionPageProps {
  readonly shell: Shell;
  readonly timeline: ExecutionTimeline;
  /** Whether the reader may see code, arguments and results. */
  readonly isAuditor: boolean;
  /** Whether the reader may ask the gate again. */
  readonly canExplain: boolean;
  /** Id of the call to show opened. */
  readonly openCall: string | null;
}

/** Maximum of calls on one page; the audit log has the others. */
const CALLS_MAX = 300;

export function ExecutionPage(props: ExecutionPageProps) {
  const { shell, timeline, isAuditor } = props;
  const { id, status, actor, startedAtMs } = timeline;
  return (
    <Page shell={shell} title={`Execution ${id.slice(-12)}`} section="executions">
      <p class="crumbs">
        <a href="/console/executions">Executions</a>
      </p>
      <Heading
        title={
          <>
            Execution <ShortId id={id} /> <StatusBadge status={status} />
          </>
        }
        about={
          <>
            <Hostile text={actor?.sub ?? "unknown"} max={100} />
            {actor === null || actor.client === "" || actor.client === actor.sub ? null : (
              <>
                {" through "}
                <Hostile text={actor.client} max={100} />
              </>
            )}
            {timeline.space === "" ? null : (
              <>
                {" in space "}
                <Hostile text={timeline.space} max={100} />
              </>
            )}
            {", "}
            <Time ms={startedAtMs} /> UTC
            <br />
            <code class="whole-id">
              <Hostile text={id} max={100} />
            </code>
          </>
        }
      >
        <a class="button" href={`/console/audit?execution=${encodeURIComponent(id)}`}>
          All records
        </a>
      </Heading>
      {timeline.isRunning
        ? (
          <p class="notice">
            It still runs. <a href={shell.here}>Load again</a> to see what it did since.
          </p>
        )
        : null}
      <Facts timeline={timeline} />
      {timeline.error == null ? null : <Failure timeline={timeline} />}
      <div class="split">
        <section aria-labelledby="program" class="split-code">
          <h2 id="program">Program</h2>
          <Program timeline={timeline} isAuditor={isAuditor} />
          <Result timeline={timeline} isAuditor={isAuditor} />
          <Logs timeline={timeline} isAuditor={isAuditor} />
        </section>
        <section aria-labelledby="calls">
          <h2 id="calls">
            Calls <span class="count">{timeline.calls.length}</span>
          </h2>
          <Calls {...props} />
        </section>
      </div>
    </Page>
  );
}

function Facts({ timeline }: { timeline: ExecutionTimeline }) {
  const counts = SHOWN_EFFECTS.filter((effect) => effect !== "allow").flatMap((effect) => {
    const count = timeline.calls.filter((call) => call.effect === effect).length;
    return count === 0 ? [] : [`${count} ${effect}`];
  });
  return (
    <dl class="stats">
      <Stat name={timeline.isRunning ? "Running for" : "Time"} value={formatMs(timeline.totalMs)} />
      {timeline.cpuMs === null ? null : <Stat name="CPU" value={formatMs(timeline.cpuMs)} />}
      <Stat
        name="Calls"
        value={String(timeline.calls.length)}
        note={counts.length === 0 ? undefined : counts.join(", ")}
      />
      <Stat name="Cost" value={formatUsd(timeline.cost)} />
      {timeline.tokensReturned === null
        ? null
        : <Stat name="Tokens returned" value={formatShort(timeline.tokensReturned)} />}
      {timeline.tokensKeptOut === null
        ? null
        : <Stat name="Tokens kept out" value={formatShort(timeline.tokensKeptOut)} />}
    </dl>
  );
}

function Failure({ timeline }: { timeline: ExecutionTimeline }) {
  const { error, errorLine } = timeline;
  if (error == null) return null;
  return (
    <div class="notice tone-bad">
      <p>
        <strong>{makeVisible(error.code)}</strong>
        {errorLine === null ? null : (
          <>
            {" at "}
            <a href={`#line-${errorLine}`}>line {errorLine}</a>
          </>
        )}
      </p>
      <p>
        <Hostile text={error.message} />
      </p>
    </div>
  );
}

function Program(
  { timeline, isAuditor }: { timeline: ExecutionTimeline; isAuditor: boolean },
) {
  const { codeText, code } = timeline;
  if (codeText !== null) {
    return <CodeView code={codeText} marks={markLines(timeline, callLinesOf(codeText))} />;
  }
  return (
    <EmptyState title={isAuditor ? "The program is not kept" : "The program is for auditors"}>
      {isAuditor
        ? (
          <p>
            Payloads are off (<code>audit.payloads</code>), or their retention has ended.
          </p>
        )
        : (
          <p>
            Sign in with a key that has scope <code>auditor</code>{" "}
            to read code, arguments and results.
          </p>
        )}
      {code === null ? null : (
        <p class="hash">
          {formatBytes(code.bytes)}, SHA-256 <code>{makeVisible(code.sha256)}</code>
        </p>
      )}
    </EmptyState>
  );
}

function Result({ timeline, isAuditor }: { timeline: ExecutionTimeline; isAuditor: boolean }) {
  if (timeline.isRunning) return null;
  return (
    <>
      <h3>Result</h3>
      <Payload
        text={timeline.resultText}
        bytes={timeline.resultBytes}
        isAuditor={isAuditor}
        label="Result"
        nothing={resultWords(timeline)}
        missing={resultWords(timeline)}
      />
    </>
  );
}

/** Why the page shows no result. A result that was too large differs from no result. */
function resultWords({ status, error, oversize }: ExecutionTimeline): string {
  if (oversize !== null) {
    const kept = oversize.isKept ? "It is kept whole for the caller." : "It was not kept.";
    return `It returned ${formatBytes(oversize.bytes)}, more than a result may have. ${kept}`;
  }
  if (error?.code === "ERR_SANDBOX_RESULT_SIZE") {
    return "It returned more than a result may have; its size and content are not known.";
  }
  return status === "ok"
    ? "It returned nothing."
    : `It returned no result: it ended with ${error?.code ?? status}.`;
}

function Logs({ timeline, isAuditor }: { timeline: ExecutionTimeline; isAuditor: boolean }) {
  const { logs } = timeline;
  if (!isAuditor || logs === null) return null;
  return (
    <>
      <h3>Logs</h3>
      {logs.length === 0 ? <p class="quiet">The program logged nothing.</p> : (
        <ol class="logs">
          {logs.slice(0, 500).map((line) => (
            <li
              class={`log-${line.level === "error" || line.level === "warn" ? line.level : "info"}`}
            >
              <span class="log-level">
                <Hostile text={line.level} max={20} />
              </span>
              <Hostile text={line.text} />
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function Calls({ timeline, isAuditor, canExplain, openCall }: ExecutionPageProps) {
  const { calls, id } = timeline;
  if (calls.length === 0) {
    return (
      <EmptyState title="No tool was called">
        <p>
          {timeline.isRunning
            ? "Calls show up here as the program makes them."
            : "The program ended before its first call, or needed none."}
        </p>
      </EmptyState>
    );
  }
  const lineOf = callLinesOf(timeline.codeText);
  return (
    <>
      <p class="scale" aria-hidden="true">
        <span>{formatClock(timeline.startedAtMs)}</span>
        <span>+{formatMs(timeline.totalMs)}</span>
      </p>
      <ol class="calls">
        {calls.slice(0, CALLS_MAX).map((call) => (
          <CallEntry
            call={call}
            totalMs={timeline.totalMs}
            isAuditor={isAuditor}
            line={lineOf(call)}
            explainHref={canExplain ? explainHref(call) : null}
            isOpen={call.id === openCall}
            openHref={`/console/executions/${
              encodeURIComponent(id)
            }?call=${call.index}#call-${call.index}`}
          />
        ))}
      </ol>
      {calls.length > CALLS_MAX || timeline.truncated ? <More id={id}>{calls.length}</More> : null}
    </>
  );
}

function More({ id, children }: { id: string; children?: Child }) {
  return (
    <p class="after-table">
      The first {CALLS_MAX} of {children} calls.{" "}
      <a href={`/console/audit?execution=${encodeURIComponent(id)}`}>All in the audit log</a>
    </p>
  );
}

function explainHref({ id }: TimelineCall): string {
  return `/console/policy?${new URLSearchParams({ record: id })}`;
}
