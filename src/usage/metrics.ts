import type { AuditRecord } from "../model/event.ts";
import { effectOf } from "../model/verdict.ts";
import { createCounter, createHistogram, gaugeLines, type MetricFamily } from "./prometheus.ts";

/** Current values, read each time the metrics are rendered. */
export interface MetricsSources {
  readonly auditOk: () => boolean;
  /** Open connections of clients. */
  readonly connections: () => number;
  readonly storeOk: () => boolean;
  /** Hosts by state, and waiting executions; null before the sandbox is open. */
  readonly sandbox: () => {
    readonly hosts: { readonly [state: string]: number };
    readonly queued: number;
    readonly running: number;
  } | null;
  readonly servers: () => readonly { readonly server: string; readonly status: string }[];
  /** Places that records are shipped to. */
  readonly sinks: () => readonly SinkFigures[];
}

/** The last known state of one place that records are shipped to. */
export interface SinkFigures {
  readonly sink: string;
  readonly error: string | null;
  readonly failures: number;
  readonly behind: number;
  readonly oldestSeconds: number | null;
  readonly reduced: number;
  readonly passedOver: number;
  readonly isLate: boolean;
}

export interface Metrics {
  /** Counts a record of the audit log; events without a record are not counted. */
  observe(record: AuditRecord): void;
  /** Counts an error that no part of the service waited for. */
  countStrayError(origin: string): void;
  /** Counts a connection or request that the edge refused or ended. */
  countRefused(reason: string): void;
  /** Prometheus text format 0.0.4. */
  render(): string;
  readonly contentType: string;
}

/** Counters by server and outcome; labels never hold a principal, an argument or a tool's text. */
export function createMetrics(sources: MetricsSources): Metrics {
  const executions = createCounter("toolgate_executions_total", "Programs that ended, by status");
  const executionSeconds = createHistogram("toolgate_execution_seconds", "Wall time of programs");
  const calls = createCounter(
    "toolgate_calls_total",
    "Tool calls that ended, by server, what became of them and status",
  );
  const callSeconds = createHistogram(
    "toolgate_call_seconds",
    "Time of tool calls through the gate, by server",
  );
  const searches = createCounter("toolgate_searches_total", "Searches");
  const tokensKeptOut = createCounter(
    "toolgate_tokens_kept_out_total",
    "Tokens of inner results that never reached a model (estimate)",
  );
  const authFailures = createCounter(
    "toolgate_auth_failures_total",
    "Requests without a valid credential",
  );
  const refused = createCounter(
    "toolgate_http_refused_total",
    "Connections and requests that were refused or ended at the edge, by reason",
  );
  const strayErrors = createCounter(
    "toolgate_stray_errors_total",
    "Errors that no part of the service waited for, by origin: each is a defect",
  );
  const families: readonly MetricFamily[] = [
    executions,
    executionSeconds,
    calls,
    callSeconds,
    searches,
    tokensKeptOut,
    authFailures,
    refused,
    strayErrors,
  ];
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    render: () =>
      [...families.flatMap((family) => family.lines()), ...gauges(sources), ""].join("\n"),
    countRefused: (reason) => refused.add({ reason }, 1),
    countStrayError: (origin) => strayErrors.add({ origin }, 1),
    observe(record) {
      const isList = record.detail?.type === "tools.list";
      if (record.kind === "search" && !isList) searches.add({}, 1);
      if (record.kind === "auth.fail") {
        const { more } = record.detail ?? {};
        authFailures.add({}, typeof more === "number" ? more : 1);
      }
      if (record.kind === "execution.end") {
        executions.add({ status: record.result?.status ?? "unknown" }, 1);
        executionSeconds.observe({}, (record.ms?.total ?? 0) / 1000);
        tokensKeptOut.add({}, record.result?.tokensKeptOut ?? 0);
      }
      if (record.kind === "call.outcome") {
        // Callers can invent any number of tool names: label only calls of tools that exist.
        const exists = record.tool?.pin !== undefined;
        const server = exists ? record.tool?.server ?? "" : "";
        const status = record.result?.status ?? "unknown";
        calls.add({ server, effect: effectOf(record) ?? "none", status }, 1);
        if (exists) callSeconds.observe({ server }, (record.ms?.total ?? 0) / 1000);
      }
    },
  };
}

function gauges(sources: MetricsSources): string[] {
  const sandbox = sources.sandbox();
  return [
    ...gaugeLines(
      "toolgate_audit_ok",
      "1 if the audit log accepts records, so that calls are possible",
      [[{}, sources.auditOk() ? 1 : 0]],
    ),
    ...gaugeLines("toolgate_http_connections", "Open connections of clients", [
      [{}, sources.connections()],
    ]),
    ...gaugeLines(
      "toolgate_store_ok",
      "0 if the store's file was deleted, replaced or damaged under the service",
      [[{}, sources.storeOk() ? 1 : 0]],
    ),
    ...gaugeLines(
      "toolgate_sandbox_hosts",
      "Sandbox host processes, by state",
      Object.entries(sandbox?.hosts ?? {}).map(([state, count]) => [{ state }, count]),
    ),
    ...gaugeLines("toolgate_sandbox_queued", "Programs that wait for a host", [
      [{}, sandbox?.queued ?? 0],
    ]),
    ...gaugeLines(
      "toolgate_upstream_ready",
      "1 if the server answered its last listing",
      sources.servers().map(({ server, status }) => [{ server }, status === "ready" ? 1 : 0]),
    ),
    ...sinkGauges(sources.sinks()),
  ];
}

function sinkGauges(sinks: readonly SinkFigures[]): string[] {
  if (sinks.length === 0) return [];
  const gauge = (name: string, help: string, read: (figures: SinkFigures) => number) =>
    gaugeLines(
      `toolgate_audit_ship_${name}`,
      help,
      sinks.map((figures) => [{ sink: figures.sink }, read(figures)]),
    );
  return [
    ...gauge("behind_records", "Records that wait for a sink", ({ behind }) => behind),
    ...gauge(
      "oldest_seconds",
      "Age of the oldest record that waits for a sink",
      ({ oldestSeconds }) => oldestSeconds ?? 0,
    ),
    ...gauge("failed_tries", "Tries that failed, one after the other", ({ failures }) => failures),
    ...gauge(
      "reduced_records",
      "Records that went without their texts since the start",
      ({ reduced }) => reduced,
    ),
    ...gauge(
      "passed_over_records",
      "Records that a sink took in no form since the start",
      ({ passedOver }) => passedOver,
    ),
    ...gauge(
      "late",
      "1 if records wait for longer than the retention: the store grows",
      ({ isLate }) => isLate ? 1 : 0,
    ),
    ...gaugeLines(
      "toolgate_audit_ship_error",
      "1 with the last reason, while a sink does not take what is sent",
      sinks.flatMap(({ sink, error }) => error === null ? [] : [[{ sink, reason: error }, 1]]),
    ),
  ];
}
