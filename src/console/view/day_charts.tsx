import { formatCount, formatMs, formatShort, formatUsd } from "../format.ts";
import type { UsageFigures } from "../../usage/usage_row.ts";
import { makeVisible } from "../visible_text.ts";
import { TableFrame } from "./parts.tsx";

interface ChartSpec {
  readonly id: string;
  readonly title: string;
  /** How the browser writes values: `count`, `ms`, `usd`. */
  readonly unit: "count" | "ms" | "usd";
  readonly kind: "bars" | "lines";
  readonly series: readonly {
    readonly name: string;
    readonly tone: string;
    readonly value: (day: UsageFigures) => number | null;
  }[];
}

const CHARTS: readonly ChartSpec[] = [
  {
    id: "chart-calls",
    title: "Calls a day",
    unit: "count",
    kind: "bars",
    series: [
      { name: "Calls", tone: "accent", value: (day) => day.calls },
      { name: "Refused", tone: "deny", value: (day) => day.refused },
    ],
  },
  {
    id: "chart-time",
    title: "Time to finish",
    unit: "ms",
    kind: "lines",
    series: [
      { name: "Median", tone: "accent", value: (day) => day.finishMsP50 },
      { name: "p95", tone: "ask", value: (day) => day.finishMsP95 },
    ],
  },
  {
    id: "chart-tokens",
    title: "Tokens kept out",
    unit: "count",
    kind: "bars",
    series: [{ name: "Kept out", tone: "allow", value: (day) => day.tokensKeptOut }],
  },
  {
    id: "chart-cost",
    title: "Cost a day",
    unit: "usd",
    kind: "bars",
    series: [{ name: "Cost", tone: "accent", value: (day) => day.costUsd }],
  },
];

const FORMATS = { count: formatShort, ms: formatMs, usd: formatUsd } as const;

/** The days as charts. A script draws them from the table; without scripts only the table shows. */
export function DayCharts({ days }: { days: readonly UsageFigures[] }) {
  return (
    <section aria-labelledby="days">
      <h2 id="days">Day by day</h2>
      <div class="charts" data-charts="day-table" hidden>
        {CHARTS.map((chart) => <Chart chart={chart} days={days} />)}
      </div>
      <details class="day-table" data-chart-source>
        <summary>As a table</summary>
        <TableFrame label="Day by day">
          <table id="day-table">
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col" class="number">Executions</th>
                {CHARTS.flatMap((chart) =>
                  chart.series.map((series) => (
                    <th scope="col" class="number">{columnName(chart, series.name)}</th>
                  ))
                )}
              </tr>
            </thead>
            <tbody>
              {days.map((day) => (
                <tr data-day={makeVisible(day.key)}>
                  <th scope="row">{makeVisible(day.key)}</th>
                  <td class="number">{formatCount(day.executions)}</td>
                  {CHARTS.flatMap((chart) =>
                    chart.series.map((series) => {
                      const value = series.value(day);
                      return (
                        <td
                          class="number"
                          data-series={`${chart.id}/${series.name}`}
                          data-value={value === null ? "" : String(value)}
                        >
                          {value === null ? "–" : FORMATS[chart.unit](value)}
                        </td>
                      );
                    })
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      </details>
    </section>
  );
}

function Chart({ chart, days }: { chart: ChartSpec; days: readonly UsageFigures[] }) {
  return (
    <figure class="chart">
      <figcaption>{chart.title}</figcaption>
      <div
        class="plot"
        id={chart.id}
        data-plot={chart.kind}
        data-unit={chart.unit}
        data-names={JSON.stringify(chart.series.map((series) => series.name))}
        data-tones={JSON.stringify(chart.series.map((series) => series.tone))}
        role="img"
        aria-label={describe(chart, days)}
      >
      </div>
    </figure>
  );
}

/** The content of a chart as text, for screen readers. */
function describe(chart: ChartSpec, days: readonly UsageFigures[]): string {
  const parts = chart.series.map(({ name, value }) => {
    const values = days.map(value).filter((one) => one !== null);
    if (values.length === 0) return `${name}: no values`;
    const format = FORMATS[chart.unit];
    return `${name}: ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  });
  return `${chart.title}, ${days.length} days. ${parts.join(". ")}.`;
}

function columnName(chart: ChartSpec, series: string): string {
  return chart.series.length === 1 ? chart.title : `${series}${chart.unit === "ms" ? " time" : ""}`;
}
