import type { AuditLog } from "../audit/audit_log.ts";
import type { Shipping } from "../audit/ship/ship.ts";
import type { SinkStatus } from "../audit/ship/ship_line.ts";
import type { AuditHealth } from "../audit/write/chain_writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Config } from "../config/schema.ts";
import { unknownSpaces } from "../config/space_modes.ts";
import type { ServerState } from "../model/catalog.ts";
import type { ClockStatus } from "../model/time/service_clock.ts";
import type { ActivePolicy, PolicyStatus } from "../policy/active_policy.ts";
import type { SandboxPool, SandboxStatus } from "../sandbox/pool/sandbox_pool.ts";
import type { Store } from "../store/store.ts";
import { createProbe } from "./probe.ts";
import type { EdgeStatus } from "./server/edge.ts";
import type { StrayErrorStatus } from "./server/stray_errors.ts";

export interface HealthDeps {
  readonly config: Config;
  readonly store: Pick<Store, "kind" | "logs">;
  readonly audit: Pick<AuditLog, "health">;
  readonly gate: {
    /** The current states, connections included. */
    readonly servers: () => readonly ServerState[];
    readonly policy: Pick<ActivePolicy, "status" | "current">;
    readonly catalog: () => Promise<Catalog>;
    readonly sandbox: () => Promise<SandboxPool>;
  };
  /** Null until the service listens. */
  readonly shipping: () => Pick<Shipping, "status" | "known"> | null;
  readonly strayErrors: () => StrayErrorStatus;
  readonly edge: () => EdgeStatus | null;
  readonly clock: () => ClockStatus;
  readonly isDraining: () => boolean;
  readonly version: string;
  readonly instance: string;
}

/** The state of the service for `/readyz` and `doctor`. */
export interface Health {
  /**
   * Ready means that the service can decide, record and run a call. Upstreams that are down do not
   * count. Answers within a second, also if a part hangs.
   */
  readiness(): Promise<{ readonly ready: boolean; readonly [fact: string]: unknown }>;
  /** Everything that `doctor` prints. */
  report(): Promise<HealthReport>;
}

export interface HealthReport {
  /** The service can decide, record and run a call. */
  readonly ready: boolean;
  /** Present while the service shuts down. */
  readonly reason?: string;
  readonly version: string;
  readonly instance: string;
  readonly audit: AuditHealth;
  readonly shipping: readonly SinkStatus[];
  /** Sentences for operators. */
  readonly alarms: readonly string[];
  readonly store: { readonly kind: Store["kind"]; readonly ok: boolean; readonly reason?: string };
  readonly strayErrors: StrayErrorStatus;
  readonly clock: ClockStatus;
  readonly sandbox:
    | ({ readonly ok: true } & SandboxStatus)
    | { readonly ok: false; readonly reason: string };
  readonly policy: PolicyStatus;
  readonly servers: readonly ServerState[];
  /** Null where no service listens. */
  readonly edge: EdgeStatus | null;
  /** Tools that are listed and cannot be called. */
  readonly quarantined: number;
  readonly limits: Config["limits"];
  /** RFC 3339, by the service's clock. */
  readonly now: string;
}

/** The full report waits this long, so that it includes a sandbox that is still starting. */
const REPORT_PATIENCE_MS = 30_000;

export function createHealth(deps: HealthDeps): Health {
  const askStore = createProbe(() => deps.store.logs());
  const askSandbox = createProbe(async () => (await deps.gate.sandbox()).status());
  const askShipping = createProbe(async () => await deps.shipping()?.status() ?? []);
  const isOpen = deps.config.auth === "none";
  const stateOf = async (patienceMs?: number) => {
    const audit = deps.audit.health();
    const [store, sandbox, counted] = await Promise.all([
      askStore(patienceMs),
      askSandbox(patienceMs),
      askShipping(patienceMs),
    ]);
    const shipping = counted.ok ? counted.value : deps.shipping()?.known() ?? [];
    const policy = deps.gate.policy.status();
    const draining = deps.isDraining();
    return {
      ready: audit.ok && store.ok && sandbox.ok && !draining,
      ...(draining ? { reason: "the service is shutting down" } : {}),
      version: deps.version,
      instance: deps.instance,
      audit,
      // An unreachable sink does not affect readiness: records are stored and shipped later.
      shipping: isOpen ? shipping : shipping.map(({ to: _, ...told }) => told),
      alarms: shipping.filter(({ isLate }) => isLate).map(alarmOf),
      store: { kind: deps.store.kind, ...store, value: undefined },
      // Stray errors are defects for operators to read; they do not affect readiness.
      strayErrors: deps.strayErrors(),
      clock: deps.clock(),
      sandbox: sandbox.ok ? { ok: true as const, ...sandbox.value } : sandbox,
      policy: {
        name: policy.name,
        digest: policy.digest,
        since: policy.since,
        // Callers need no credential, and the reason names tools: with log-in, show only places.
        rejected: isOpen ? policy.rejected : placesOf(policy.rejected),
      },
    };
  };
  return {
    readiness: () => stateOf(),
    async report() {
      const catalog = await deps.gate.catalog();
      await catalog.refresh();
      const snapshot = catalog.snapshot();
      const status = deps.gate.policy.status();
      const unknown = unknownSpaces(deps.config, deps.gate.policy.current().spaces);
      return {
        ...await stateOf(REPORT_PATIENCE_MS),
        shipping: deps.shipping()?.known() ?? [],
        policy: { ...status, problems: [...status.problems, ...unknown] },
        servers: deps.gate.servers(),
        edge: deps.edge(),
        quarantined: snapshot.quarantined.length,
        limits: deps.config.limits,
        now: new Date().toISOString(),
      };
    },
  };
}

function alarmOf({ sink, behind, oldestSeconds }: SinkStatus): string {
  const days = Math.floor((oldestSeconds ?? 0) / 86_400);
  return `${sink} is behind by more than audit.retentionDays: ${behind} records wait, the oldest ` +
    `for ${days} days, and the store grows`;
}

/** The files and lines of a reason, without its text. */
function placesOf(reason: string | null): string | null {
  if (reason === null) return null;
  const places = [...reason.matchAll(/([^\s/\\]+:\d+):/g)].map(([, place]) => place);
  const where = places.length === 0 ? "" : `${[...new Set(places)].join(", ")}; `;
  return `${where}"toolgate policy check", the log and the audit log say why`;
}
