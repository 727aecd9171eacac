import { DEFAULT_SPACE } from "../../model/space.ts";
import { SHOWN_EFFECTS } from "../../model/verdict.ts";
import type { ExecutionSummary } from "../live_executions.ts";
import { formatAgo, formatMs, formatUsd } from "../format.ts";
import { Hostile, ToolName } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import {
  EffectCount,
  EmptyState,
  Heading,
  ShortId,
  StatusBadge,
  TableFrame,
  Time,
} from "../view/parts.tsx";

interface LiveProps {
  readonly executions: readonly ExecutionSummary[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function ExecutionsPage({ shell, ...live }: LiveProps & { readonly shell: Shell }) {
  return (
    <Page shell={shell} title="Executions" section="executions">
      <Heading
        title="Executions"
        about="Programs that agents run, and what the gate let through."
      >
        <p class="live-state" id="live-state" data-live-state hidden>
          <span class="dot" aria-hidden="true"></span>
          <span data-live-text>Connecting</span>
        </p>
        <button type="button" data-live-pause hidden aria-pressed="false">Pause</button>
      </Heading>
      <div id="live" hx-sse:connect="/console/executions/stream" hx-swap="innerMorph">
        <LiveExecutionLists {...live} />
      </div>
    </Page>
  );
}

/** The part that the live stream sends again when the audit log grows. */
export function LiveExecutionLists({ executions, now }: LiveProps) {
  const running = executions.filter((execution) => execution.status === "running");
  const ended = executions.filter((execution) => execution.status !== "running");
  if (executions.length === 0) return <NothingYet />;
  return (
    <>
      <section aria-labelledby="running">
        <h2 id="running">
          Running now <span class="count">{running.length}</span>
        </h2>
        {running.length === 0
          ? <p class="quiet">Nothing runs at the moment.</p>
          : <ExecutionTable label="Running executions" executions={running} now={now} />}
      </section>
      <section aria-labelledby="recent">
        <h2 id="recent">
          Recent <span class="count">{ended.length}</span>
        </h2>
        {ended.length === 0
          ? <p class="quiet">No execution has ended yet.</p>
          : <ExecutionTable label="Recent executions" executions={ended} now={now} />}
        <p class="after-table">
          <a href="/console/audit?kind=execution.end">Older executions in the audit log</a>
        </p>
      </section>
    </>
  );
}

function ExecutionTable(
  { label, executions, now }: LiveProps & { readonly label: string },
) {
  return (
    <TableFrame label={label}>
      <table class="executions stack">
        <thead>
          <tr>
            <th scope="col">Started (UTC)</th>
            <th scope="col">Execution</th>
            <th scope="col">Status</th>
            <th scope="col">Who</th>
            <th scope="col" class="middle">Last tool</th>
            <th scope="col">Calls</th>
            <th scope="col" class="number">Took</th>
            <th scope="col" class="number middle">Cost</th>
          </tr>
        </thead>
        <tbody>
          {executions.map((execution) => <ExecutionRow execution={execution} now={now} />)}
        </tbody>
      </table>
    </TableFrame>
  );
}

function ExecutionRow({ execution, now }: { execution: ExecutionSummary; now: number }) {
  const { id, sub, space, status, startedAtMs, tookMs, calls, lastTool, cost } = execution;
  return (
    <tr id={`row-${encodeURIComponent(id)}`}>
      <td>
        <Time ms={startedAtMs} />
        <span class="note">{formatAgo(now - startedAtMs)}</span>
      </td>
      <td>
        <a href={`/console/executions/${encodeURIComponent(id)}`}>
          <ShortId id={id} />
        </a>
      </td>
      <td>
        <StatusBadge status={status} />
        {execution.errorCode === null ? null : (
          <span class="note">
            <Hostile text={execution.errorCode} max={60} />
          </span>
        )}
      </td>
      <td>
        <Hostile text={sub} max={60} />
        {space === DEFAULT_SPACE || space === "" ? null : (
          <span class="note">
            in <Hostile text={space} max={40} />
          </span>
        )}
      </td>
      <td class="middle">
        {lastTool === null ? <None /> : <ToolName name={lastTool} max={60} />}
      </td>
      <td>
        <CallCounts calls={calls} />
      </td>
      <td class="number">
        {tookMs === null ? <None /> : formatMs(tookMs)}
      </td>
      <td class="number middle">{cost === 0 ? <None /> : formatUsd(cost)}</td>
    </tr>
  );
}

function CallCounts({ calls }: { calls: ExecutionSummary["calls"] }) {
  const counts = SHOWN_EFFECTS.map((effect) => ({ effect, count: calls[effect] ?? 0 }))
    .filter(({ count }) => count > 0);
  if (counts.length === 0) return <None />;
  return (
    <span class="counts">
      {counts.map(({ effect, count }) => <EffectCount effect={effect} count={count} />)}
    </span>
  );
}

function None() {
  return <span class="none" aria-label="none">–</span>;
}

function NothingYet() {
  return (
    <EmptyState title="No program has run yet">
      <p>
        Connect an agent to <code>/mcp</code>, or run one from a terminal:
      </p>
      <pre class="snippet"><code>toolgate run program.ts</code></pre>
      <p>It shows up here the moment it starts.</p>
    </EmptyState>
  );
}
