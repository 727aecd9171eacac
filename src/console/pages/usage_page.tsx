import { USAGE_BY, type UsageFigures } from "../../usage/usage_row.ts";
import { formatCount, formatMs, formatShare, formatShort, formatUsd } from "../format.ts";
import type { CountedUsage } from "../usage_cache.ts";
import { USAGE_PERIODS, type UsageForm, type UsagePeriod } from "../usage_form.ts";

import { Hostile } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import { EmptyState, Heading, Stat, TableFrame, Time } from "../view/parts.tsx";
import { DayCharts } from "../view/day_charts.tsx";

export interface UsagePageProps {
  readonly shell: Shell;
  readonly form: UsageForm;
  readonly counted: CountedUsage;
}

const ROWS_MAX = 200;

const PERIOD_NAMES: { readonly [period in UsagePeriod]: string } = {
  "1d": "Today",
  "7d": "7 days",
  "30d": "30 days",
  "90d": "90 days",
};

const ABOUT = "What agents did, what it cost, and what stayed out of context.";

export function UsagePage({ shell, form, counted }: UsagePageProps) {
  const { report, asOfMs } = counted;
  const isEmpty = report.total.executions === 0 && report.total.calls === 0;
  return (
    <Page shell={shell} title="Usage" section="usage" charts>
      <Heading title="Usage" about={ABOUT}>
        <Periods form={form} />
        <a
          class="button"
          href={`/console/usage/export?${new URLSearchParams({ ...form })}`}
          download
        >
          CSV
        </a>
      </Heading>
      {report.tasksAreCut
        ? (
          <p class="notice tone-warn">
            More tasks ran at once than are remembered: some count as two.
          </p>
        )
        : null}
      {isEmpty
        ? (
          <EmptyState title="Nothing ran in this time">
            <p>
              Choose a longer period, or run a program: <code>toolgate run program.ts</code>
            </p>
          </EmptyState>
        )
        : (
          <>
            <Totals total={report.total} />
            <DayCharts days={report.days} />
            <Groups form={form} rows={report.rows} />
          </>
        )}
      <p class="quiet">
        As of <Time ms={asOfMs} /> UTC. Token counts are estimates (o200k).
      </p>
    </Page>
  );
}

/** The page while a long period is counted. With scripts it reloads when the report is ready. */
export function CountingPage({ shell, form }: Omit<UsagePageProps, "counted">) {
  const query = new URLSearchParams({ ...form });
  return (
    <Page shell={shell} title="Usage" section="usage">
      <Heading title="Usage" about={ABOUT}>
        <Periods form={form} />
      </Heading>
      <div hx-get={`/console/usage/ready?${query}`} hx-trigger="every 1s" hx-swap="none">
        <EmptyState title="Counting the records of this time">
          <p role="status">
            The figures show up as soon as they are there. <a href={shell.here}>Load again</a>
          </p>
        </EmptyState>
      </div>
    </Page>
  );
}

function Periods({ form }: { form: UsageForm }) {
  return (
    <nav class="choices" aria-label="Period">
      {(Object.keys(USAGE_PERIODS) as UsagePeriod[]).map((period) => (
        <a
          href={`/console/usage?${new URLSearchParams({ period, by: form.by })}`}
          aria-current={period === form.period ? "true" : undefined}
        >
          {PERIOD_NAMES[period]}
        </a>
      ))}
    </nav>
  );
}

function Totals({ total }: { total: UsageFigures }) {
  const refused = total.refused > 0 ? `${formatCount(total.refused)} refused` : undefined;
  return (
    <dl class="stats by-four">
      <Stat
        name="Tasks completed"
        value={formatCount(total.completedTasks)}
        note={`of ${formatCount(total.tasks)}, ${formatCount(total.completedReported)} reported`}
      />
      <Stat
        name="First-try success"
        value={orNone(total.firstTrySuccess, formatShare)}
        note={total.firstTrySuccessMultiHop === null
          ? undefined
          : `${formatShare(total.firstTrySuccessMultiHop)} with several calls`}
      />
      <Stat name="Tool calls" value={formatShort(total.calls)} note={refused} />
      <Stat
        name="Time to finish, median"
        value={orNone(total.finishMsP50, formatMs)}
        note={total.finishMsP95 === null ? undefined : `p95 ${formatMs(total.finishMsP95)}`}
      />
      <Stat
        name="Tokens kept out"
        value={formatShort(total.tokensKeptOut)}
        note={`about ${formatUsd(total.classicUsdEstimate)} of model input`}
      />
      <Stat
        name="Tokens per completed task"
        value={orNone(total.tokensPerCompletedTask, formatShort)}
      />
      <Stat
        name="Cost"
        value={formatUsd(total.costUsd)}
        note={costNote(total)}
      />
      <Stat name="Cost per successful action" value={orNone(total.costPerSuccessUsd, formatUsd)} />
    </dl>
  );
}

/** Tokens of models are known only if clients report them. */
function costNote({ modelInputTokens, modelOutputTokens }: UsageFigures): string | undefined {
  if (modelInputTokens === null && modelOutputTokens === null) return undefined;
  const tokens = (modelInputTokens ?? 0) + (modelOutputTokens ?? 0);
  return `with ${formatShort(tokens)} model tokens, as reported`;
}

function Groups({ form, rows }: { form: UsageForm; rows: readonly UsageFigures[] }) {
  const costMax = Math.max(...rows.map((row) => row.costUsd), 0);
  const callsMax = Math.max(...rows.map((row) => row.calls), 1);
  const isTool = form.by === "tool";
  const share = (row: UsageFigures) => costMax > 0 ? row.costUsd / costMax : row.calls / callsMax;
  return (
    <section aria-labelledby="groups">
      <div class="section-head">
        <h2 id="groups">By {form.by}</h2>
        <nav class="choices" aria-label="Group by">
          {USAGE_BY.map((by) => (
            <a
              href={`/console/usage?${new URLSearchParams({ period: form.period, by })}#groups`}
              aria-current={by === form.by ? "true" : undefined}
            >
              {by}
            </a>
          ))}
        </nav>
      </div>
      <TableFrame label={`Usage by ${form.by}`}>
        <table class="usage">
          <thead>
            <tr>
              <th scope="col" class="capital">{form.by}</th>
              <th scope="col">{costMax > 0 ? "Share of cost" : "Share of calls"}</th>
              <th scope="col" class="number">Cost</th>
              <th scope="col" class="number">Calls</th>
              <th scope="col" class="number">Refused</th>
              <th scope="col" class="number">Failed</th>
              <th scope="col" class="number">Executions</th>
              <th scope="col" class="number">{isTool ? "Call, median" : "Finish, median"}</th>
              <th scope="col" class="number">p95</th>
              <th scope="col" class="number">Tokens kept out</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS_MAX).map((row) => (
              <GroupRow row={row} share={share(row)} isTool={isTool} />
            ))}
          </tbody>
        </table>
      </TableFrame>
      {rows.length > ROWS_MAX
        ? <p class="after-table">The first {ROWS_MAX} of {formatCount(rows.length)} rows.</p>
        : null}
    </section>
  );
}

interface GroupRowProps {
  readonly row: UsageFigures;
  /** Share of the largest row, 0 to 1. */
  readonly share: number;
  readonly isTool: boolean;
}

function GroupRow({ row, share, isTool }: GroupRowProps) {
  const [median, p95] = isTool
    ? [row.callMsP50, row.callMsP95]
    : [row.finishMsP50, row.finishMsP95];
  return (
    <tr>
      <th scope="row">
        {row.key === "" ? <span class="none">none</span> : <Hostile text={row.key} max={100} />}
      </th>
      <td>
        <svg
          class="share"
          viewBox="0 0 100 6"
          preserveAspectRatio="none"
          width="100"
          height="6"
          aria-hidden="true"
        >
          <rect class="share-track" x="0" y="0" width="100" height="6" />
          <rect class="share-bar" x="0" y="0" width={(share * 100).toFixed(1)} height="6" />
        </svg>
      </td>
      <td class="number">{formatUsd(row.costUsd)}</td>
      <td class="number">{formatCount(row.calls)}</td>
      <td class="number">{formatCount(row.refused)}</td>
      <td class="number">{formatCount(row.failed)}</td>
      <td class="number">{formatCount(row.executions)}</td>
      <td class="number">{orNone(median, formatMs)}</td>
      <td class="number">{orNone(p95, formatMs)}</td>
      <td class="number">{formatShort(row.tokensKeptOut)}</td>
    </tr>
  );
}

function orNone(value: number | null, format: (value: number) => string): string {
  return value === null ? "–" : format(value);
}
