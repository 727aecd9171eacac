/**
 * The few kinds of metrics the service has, in the Prometheus text format.
 *
 * The usual package cannot be compiled into one binary: a data file of one of its dependencies
 * overflows the compiler's stack.
 *
 * @see Prometheus exposition formats, text-based format 0.0.4
 */
export interface MetricFamily {
  lines(): string[];
}

export type Labels = { readonly [name: string]: string };

export interface Counter extends MetricFamily {
  add(labels: Labels, by: number): void;
}

export interface Histogram extends MetricFamily {
  /** @param value in seconds. */
  observe(labels: Labels, value: number): void;
}

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Series of one family; further label sets are counted together. */
const SERIES_MAX = 5_000;

export function createCounter(name: string, help: string): Counter {
  const series = new Map<string, number>();
  return {
    add(labels, by) {
      const key = seriesKey(series, labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
    lines: () => [
      ...header(name, help, "counter"),
      ...[...series].map(([labels, value]) => `${name}${braces(labels)} ${value}`),
    ],
  };
}

export function createHistogram(name: string, help: string): Histogram {
  const series = new Map<string, { buckets: number[]; sum: number; count: number }>();
  return {
    observe(labels, value) {
      const key = seriesKey(series, labels);
      const known = series.get(key) ?? { buckets: SECONDS.map(() => 0), sum: 0, count: 0 };
      series.set(key, known);
      known.sum += value;
      known.count++;
      SECONDS.forEach((bound, index) => {
        if (value <= bound) known.buckets[index] = (known.buckets[index] ?? 0) + 1;
      });
    },
    lines: () => [
      ...header(name, help, "histogram"),
      ...[...series].flatMap(([labels, { buckets, sum, count }]) => [
        ...SECONDS.map((bound, index) =>
          `${name}_bucket${braces(labels, `le="${bound}"`)} ${buckets[index]}`
        ),
        `${name}_bucket${braces(labels, 'le="+Inf"')} ${count}`,
        `${name}_sum${braces(labels)} ${sum}`,
        `${name}_count${braces(labels)} ${count}`,
      ]),
    ],
  };
}

export function gaugeLines(
  name: string,
  help: string,
  values: readonly (readonly [Labels, number])[],
): string[] {
  return [
    ...header(name, help, "gauge"),
    ...values.map(([labels, value]) => `${name}${braces(labelText(labels))} ${value}`),
  ];
}

function seriesKey(series: ReadonlyMap<string, unknown>, labels: Labels): string {
  const key = labelText(labels);
  return series.has(key) || series.size < SERIES_MAX ? key : "";
}

function header(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: Labels): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(",");
}

function braces(...parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join(",");
  return text === "" ? "" : `{${text}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
