import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AuditRecord } from "../model/event.ts";

/** Facts that are asked for when somebody reads the metrics. */
export interface MetricsSources {
  readonly auditOk: () => boolean;
  /** Hosts by state, and what waits; null before the sandbox was opened. */
  readonly sandbox: () => {
    readonly hosts: { readonly [state: string]: number };
    readonly queued: number;
    readonly running: number;
  } | null;
  /** Servers by status. */
  readonly servers: () => readonly { readonly server: string; readonly status: string }[];
}

export interface Metrics {
  /** Counts a record of the audit log: what is not in the log is not counted. */
  observe(record: AuditRecord): void;
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>;
  readonly contentType: string;
}

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counters of the service by server and outcome; never a principal, an argument or a tool's words. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const executions = new Counter({
    name: "toolgate_executions_total",
    help: "Programs that ended, by status",
    labelNames: ["status"],
    registers,
  });
  const executionSeconds = new Histogram({
    name: "toolgate_execution_seconds",
    help: "Wall time of programs",
    buckets: SECONDS,
    registers,
  });
  const calls = new Counter({
    name: "toolgate_calls_total",
    help: "Tool calls that ended, by server, effect of the policy and status",
    labelNames: ["server", "effect", "status"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "toolgate_call_seconds",
    help: "Time of tool calls through the gate, by server",
    labelNames: ["server"],
    buckets: SECONDS,
    registers,
  });
  const searches = new Counter({ name: "toolgate_searches_total", help: "Searches", registers });
  const tokensKeptOut = new Counter({
    name: "toolgate_tokens_kept_out_total",
    help: "Tokens of inner results that never reached a model (estimate)",
    registers,
  });
  const authFailures = new Counter({
    name: "toolgate_auth_failures_total",
    help: "Requests without a valid credential",
    registers,
  });
  new Gauge({
    name: "toolgate_audit_ok",
    help: "1 if the audit log accepts records, so that calls are possible",
    registers,
    collect() {
      this.set(sources.auditOk() ? 1 : 0);
    },
  });
  new Gauge({
    name: "toolgate_sandbox_hosts",
    help: "Sandbox host processes, by state",
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.sandbox()?.hosts ?? {})) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: "toolgate_sandbox_queued",
    help: "Programs that wait for a host",
    registers,
    collect() {
      this.set(sources.sandbox()?.queued ?? 0);
    },
  });
  new Gauge({
    name: "toolgate_upstream_ready",
    help: "1 if the server answered its last listing",
    labelNames: ["server"],
    registers,
    collect() {
      for (const { server, status } of sources.servers()) {
        this.set({ server }, status === "ready" ? 1 : 0);
      }
    },
  });
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    observe(record) {
      if (record.kind === "search") searches.inc();
      if (record.kind === "auth.fail") authFailures.inc();
      if (record.kind === "execution.end") {
        executions.inc({ status: record.result?.status ?? "unknown" });
        executionSeconds.observe((record.ms?.total ?? 0) / 1000);
        tokensKeptOut.inc(record.result?.tokensKeptOut ?? 0);
      }
      if (record.kind === "call.outcome") {
        // The names of tools that do not exist are a caller's invention, and would never end.
        const exists = record.tool?.pin !== undefined;
        const server = exists ? record.tool?.server ?? "" : "";
        const status = record.result?.status ?? "unknown";
        calls.inc({ server, effect: record.decision?.effect ?? "deny", status });
        if (exists) callSeconds.observe({ server }, (record.ms?.total ?? 0) / 1000);
      }
    },
  };
}
