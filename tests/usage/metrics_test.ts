import assert from "node:assert/strict";
import { createMetrics, type MetricsSources } from "../../src/usage/metrics.ts";
import { writeLog } from "./usage_fixture.ts";

const SOURCES: MetricsSources = {
  auditOk: () => true,
  connections: () => 2,
  storeOk: () => false,
  sandbox: () => null,
  servers: () => [{ server: "orders", status: "ready" }, { server: "pay", status: "down" }],
  sinks: () => [],
};

Deno.test("records are counted by server, what became of them and status, without names of people", () => {
  const log = writeLog();
  const metrics = createMetrics(SOURCES);
  log.execute(0, "e", {
    calls: [{}, { tool: { server: "x", name: "invented" } }],
    tokens: { keptOut: 9 },
  });
  log.add(1, "search");
  log.add(1, "search", { detail: { type: "tools.list" } });
  log.add(2, "auth.fail");
  log.add(2, "auth.fail", { detail: { more: 4 } });
  log.records.forEach(metrics.observe);
  const text = metrics.render();
  const line = (start: string) => text.split("\n").find((one) => one.startsWith(start));
  assert.match(line('toolgate_calls_total{server="orders"') ?? "", /status="ok"\} 1$/);
  assert.ok(!text.includes("invented") && !text.includes('"x"'), "a caller's invention is a label");
  assert.equal(line("toolgate_searches_total "), "toolgate_searches_total 1");
  assert.equal(line("toolgate_auth_failures_total "), "toolgate_auth_failures_total 5");
  assert.equal(line("toolgate_tokens_kept_out_total "), "toolgate_tokens_kept_out_total 9");
  assert.equal(line("toolgate_executions_total{"), 'toolgate_executions_total{status="ok"} 1');
  assert.ok(!text.includes("ada"), "a principal is a label");
});

Deno.test("states are asked for when they are read", () => {
  let hosts = { idle: 3 };
  const metrics = createMetrics({ ...SOURCES, sandbox: () => ({ hosts, queued: 1, running: 0 }) });
  const lines = () => metrics.render().split("\n");
  assert.ok(lines().includes('toolgate_sandbox_hosts{state="idle"} 3'));
  hosts = { idle: 1 };
  assert.ok(lines().includes('toolgate_sandbox_hosts{state="idle"} 1'));
  assert.ok(lines().includes("toolgate_store_ok 0"));
  assert.ok(lines().includes('toolgate_upstream_ready{server="pay"} 0'));
  assert.ok(!lines().some((line) => line.includes("audit_ship")));
  assert.ok(metrics.render().endsWith("\n"));
});

Deno.test("a sink that does not take what is sent is told with its reason", () => {
  const figures = {
    sink: "https://sink.example",
    failures: 2,
    behind: 7,
    oldestSeconds: null,
    reduced: 0,
    passedOver: 0,
    isLate: true,
  };
  const render = (error: string | null) =>
    createMetrics({ ...SOURCES, sinks: () => [{ ...figures, error }] }).render();
  const error = 'toolgate_audit_ship_error{sink="https://sink.example",reason="refused"} 1';
  assert.ok(render("refused").includes(error));
  assert.ok(!render(null).includes("toolgate_audit_ship_error{"));
  assert.ok(render(null).includes('toolgate_audit_ship_late{sink="https://sink.example"} 1'));
  assert.ok(
    render(null).includes('toolgate_audit_ship_oldest_seconds{sink="https://sink.example"} 0'),
  );
});
