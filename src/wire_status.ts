import type { AuditLog } from "./audit/audit_log.ts";
import type { Shipping } from "./audit/ship/ship.ts";
import { descriptorLimit } from "./config/descriptor_limit.ts";
import { runCommand } from "./config/run_command.ts";
import type { Config } from "./config/schema.ts";
import { createHealth, type Health } from "./http/health.ts";
import { createEdge, type Edge } from "./http/server/edge.ts";
import { createStrayErrors, type StrayErrors } from "./http/server/stray_errors.ts";
import type { Log } from "./model/log.ts";
import type { ServiceClock } from "./model/time/service_clock.ts";
import { VERSION } from "./model/version.ts";
import type { Store } from "./store/store.ts";
import { createMetrics, type Metrics } from "./usage/metrics.ts";
import type { Gate } from "./wire_gate.ts";

/** The service's HTTP edge, and the status that it reports there. */
export interface Status {
  readonly edge: Edge;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly strayErrors: StrayErrors;
}

export interface StatusDeps {
  readonly config: Config;
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: ServiceClock;
  readonly gate: Gate;
  /** Null until the service listens. */
  readonly shipping: () => Shipping | null;
  readonly isDraining: () => boolean;
  readonly instance: string;
  /** Hides known secrets in a text. */
  readonly mask: (text: string) => string;
  readonly log: Log;
}

export function wireStatus(deps: StatusDeps): Status {
  const { config, store, audit, clock, gate, shipping, log } = deps;
  const edge: Edge = createEdge({
    config,
    descriptorLimit: () => descriptorLimit(runCommand),
    onRefused: (reason) => metrics.countRefused(reason),
    log: (message) => log("warn", message),
  });
  const metrics = createMetrics({
    connections: edge.connections,
    auditOk: () => audit.health().ok,
    storeOk: () => store.fault() === null,
    sandbox: gate.sandboxStatus,
    servers: gate.servers,
    sinks: () => shipping()?.known() ?? [],
  });
  audit.follow((record) => metrics.observe(record));
  const strayErrors = createStrayErrors({
    log,
    now: clock.now,
    mask: deps.mask,
    count: metrics.countStrayError,
  });
  const health = createHealth({
    edge: edge.status,
    config,
    store,
    audit,
    gate,
    shipping,
    strayErrors: strayErrors.status,
    clock: clock.status,
    isDraining: deps.isDraining,
    version: VERSION,
    instance: deps.instance,
  });
  return { edge, metrics, health, strayErrors };
}
