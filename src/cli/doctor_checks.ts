import { configuredUpstreams, findUpstream, remedyOf } from "../config/configured_upstreams.ts";
import { isDemo } from "../config/demo_config.ts";
import type { Config } from "../config/schema.ts";
import { findReferences, type ResolveSecrets } from "../config/secrets.ts";
import type { ServerState } from "../model/catalog.ts";
import { reportError } from "../model/errors.ts";
import type { ExecutionResult } from "../model/execution.ts";
import type { ClockStatus } from "../model/time/service_clock.ts";
import type { KernelReport } from "../rpc/protocol.ts";
import { plain } from "./table.ts";

/** One line of `doctor`. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do; empty if all is well. */
  readonly remedy: string;
}

/** The parts of the answer of `GET /health` that the checks read. */
export interface HealthReport {
  readonly version: string;
  readonly audit: { readonly ok: boolean; readonly reason: string | null };
  readonly shipping: readonly {
    readonly sink: string;
    readonly to: string;
    readonly error: string | null;
    readonly behind: number;
    readonly oldestSeconds: number | null;
    readonly isLate: boolean;
  }[];
  readonly strayErrors: { readonly count: number; readonly lastAt: string | null };
  readonly store: { readonly kind: string; readonly ok: boolean; readonly reason?: string };
  readonly sandbox:
    | { readonly ok: false; readonly reason: string }
    | { readonly ok: true; readonly isolation: string; readonly kernel: KernelReport | null };
  readonly policy: {
    readonly source: string;
    readonly name: string;
    readonly digest: string;
    readonly problems: readonly string[];
    readonly rejected: string | null;
  };
  readonly servers: readonly ServerState[];
  readonly quarantined: number;
  /** Null where no service listens. */
  readonly edge: {
    readonly connectionsMax: number;
    readonly descriptorsMax: number | null;
  } | null;
  readonly clock: ClockStatus;
  /** RFC 3339. */
  readonly now: string;
}

/** A program with a known result; it needs only the sandbox. */
export const SELF_TEST = "return [1, 2, 3].map((n: number) => n * 14).at(-1);";
const SELF_TEST_RESULT = 42;
/** With fewer descriptors, a service has little room for many clients and programs. */
const DESCRIPTORS_FEW = 4_096;
const CLOCK_SKEW_MS_MAX = 5_000;
/** About the age of this program: an earlier time means a wrong clock. */
const EARLIEST_MS = Date.parse("2026-01-01T00:00:00Z");

export function checkConfig(config: Config, source: string): Check {
  const servers = configuredUpstreams(config).length;
  const upstreams = isDemo(source) ? "its own upstreams" : `${servers} upstreams`;
  const detail = `${source}, ${upstreams}, store ${withoutPassword(config.store)}`;
  if (config.policies === "open") {
    return warn("configuration", `${detail}; "policies: open" allows every call`, "Write a policy");
  }
  return ok("configuration", detail);
}

/** Resolves every secret reference; reports those without a value, and never shows values. */
export async function checkSecrets(config: Config, resolve: ResolveSecrets): Promise<Check> {
  const texts = [...new Set(stringsIn(config).filter((text) => findReferences(text).length > 0))];
  const failures = await Promise.all(
    texts.map((text) => resolve(text).then(() => null, (error) => reportError(error))),
  );
  const missing = failures.filter((failure) => failure !== null);
  if (missing.length === 0) return ok("secrets", `${texts.length} references have a value`);
  return fail(
    "secrets",
    missing.map(({ message }) => message).join("; "),
    missing.map(({ hint }) => hint).join("; "),
  );
}

export function checkClock(
  nowMs: number,
  { now: serviceNow, clock }: Pick<HealthReport, "now" | "clock">,
): Check {
  const skewMs = Math.abs(Date.parse(serviceNow) - nowMs);
  const detail = new Date(nowMs).toISOString();
  const remedy = "Synchronise the clock: expiry, audit times and tokens depend on it";
  if (nowMs < EARLIEST_MS) return fail("clock", `${detail} is in the past`, remedy);
  if (skewMs > CLOCK_SKEW_MS_MAX) {
    return fail("clock", `${detail}, the service says ${serviceNow}`, remedy);
  }
  if (clock.aheadMs > CLOCK_SKEW_MS_MAX) {
    const aheadS = Math.round(clock.aheadMs / 1_000);
    return warn("clock", `${detail}, set back: records are ${aheadS} s ahead of it`, remedy);
  }
  if (clock.lastJump === null) return ok("clock", detail);
  const { at, byMs } = clock.lastJump;
  return warn("clock", `${detail}, jumped by ${Math.round(byMs / 1_000)} s at ${at}`, remedy);
}

/** Checks from the health report, one per part and per upstream. */
export function checkHealth(health: HealthReport, config: Config): Check[] {
  return [
    checkStore(health),
    checkAudit(health),
    checkPolicy(health),
    checkSandbox(health.sandbox),
    ...(health.edge === null ? [] : [checkConnections(health.edge)]),
    ...health.servers.map((server) => checkServer(server, config)),
    ...health.shipping.map(checkSink),
    ...(health.strayErrors.count === 0 ? [] : [
      warn(
        "stray errors",
        `${health.strayErrors.count} since the start, the last at ${health.strayErrors.lastAt}`,
        "Each is a defect of toolgate: please report what the log says of it",
      ),
    ]),
    ...(health.quarantined === 0 ? [] : [
      warn(
        "quarantine",
        `${health.quarantined} tools cannot be called`,
        'See why with "toolgate tools list"',
      ),
    ]),
  ];
}

export function checkSelfTest(execution: ExecutionResult): Check {
  const { status, result, error, usage } = execution;
  if (status === "ok" && result === SELF_TEST_RESULT) {
    return ok("self test", `a program ran in ${Math.round(usage.wallMs)} ms`);
  }
  const reason = error === undefined ? `result ${JSON.stringify(result)}` : error.message;
  return fail("self test", `${status}: ${reason}`, error?.hint ?? "See the log of the service");
}

/** One aligned line per check, the remedy below those that need one. */
export function renderChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.map(({ name, status, detail, remedy }) => {
    const line = `${status.padEnd(4)}  ${name.padEnd(width)}  ${detail}`;
    return remedy === "" ? line : `${line}\n${" ".repeat(width + 8)}${remedy}`;
  }).join("\n");
}

export function ok(name: string, detail: string): Check {
  return { name, status: "ok", detail, remedy: "" };
}

export function warn(name: string, detail: string, remedy: string): Check {
  return { name, status: "warn", detail, remedy };
}

export function fail(name: string, detail: string, remedy: string): Check {
  return { name, status: "fail", detail, remedy };
}

function checkSink(sink: HealthReport["shipping"][number]): Check {
  const { to, error, behind, oldestSeconds, isLate } = sink;
  const since = oldestSeconds === null ? "" : `, the oldest for ${oldestSeconds} s`;
  const waiting = behind === 0 ? "nothing waits" : `${behind} records wait${since}`;
  if (error === null && !isLate) return ok("shipping", `${to}: ${waiting}`);
  return warn(
    "shipping",
    `${to}: ${error ?? "it is behind"}; ${waiting}`,
    isLate
      ? `They wait for longer than audit.retentionDays, and the store grows: repair ${sink.sink}, or remove it`
      : "Nothing is lost meanwhile; see what the receiver says",
  );
}

/** JSON cannot hold `Infinity`, so null means no limit. */
function checkConnections(
  { connectionsMax, descriptorsMax }: NonNullable<HealthReport["edge"]>,
): Check {
  const limit = descriptorsMax === null ? "no limit" : `a limit of ${descriptorsMax}`;
  const detail = `${connectionsMax} at a time, with ${limit} of open files`;
  if (descriptorsMax === null || descriptorsMax >= DESCRIPTORS_FEW) {
    return ok("connections", detail);
  }
  return warn(
    "connections",
    detail,
    `Raise the limit of open files (ulimit -n, LimitNOFILE) to ${DESCRIPTORS_FEW} or more`,
  );
}

function checkStore({ store }: HealthReport): Check {
  return store.ok
    ? ok("store", `${store.kind} answers`)
    : fail("store", store.reason ?? "no answer", "Check that the store's place can be written");
}

function checkAudit({ audit }: HealthReport): Check {
  return audit.ok ? ok("audit", "records are durable") : fail(
    "audit",
    audit.reason ?? "records cannot be written",
    "No call happens until the log can be written: free its disk or its database",
  );
}

function checkPolicy({ policy }: HealthReport): Check {
  const detail = `${policy.name} from ${policy.source}`;
  if (policy.rejected !== null) {
    return fail(
      "policy",
      `${detail}; a newer one was refused: ${policy.rejected}`,
      "Correct it, then reload the policy",
    );
  }
  if (policy.problems.length === 0) return ok("policy", detail);
  const [first = ""] = policy.problems;
  const more = policy.problems.length > 1 ? ` and ${policy.problems.length - 1} more` : "";
  return warn("policy", `${detail}: ${first}${more}`, 'See all with "toolgate policy check"');
}

function checkSandbox(sandbox: HealthReport["sandbox"]): Check {
  if (!sandbox.ok) return fail("sandbox", sandbox.reason, "No program runs until a host starts");
  const { isolation, kernel } = sandbox;
  if (kernel === null) return ok("sandbox", `level ${isolation}`);
  const layers = [
    ...(kernel.seccomp ? ["seccomp"] : []),
    ...(kernel.landlock > 0 ? [`Landlock ${kernel.landlock}`] : []),
    ...(kernel.rlimits ? ["rlimits"] : []),
  ];
  const detail = `level ${isolation}, kernel layer: ${layers.join(", ") || "none"}`;
  return kernel.missing.length === 0
    ? ok("sandbox", detail)
    : warn("sandbox", `${detail}; missing: ${kernel.missing.join(", ")}`, "The other layers hold");
}

function checkServer(server: ServerState, config: Config): Check {
  const name = `upstream ${server.server}`;
  if (server.status === "ready") return ok(name, `${server.toolCount} tools`);
  const upstream = findUpstream(config, server.server);
  const remedy = upstream === undefined
    ? "See the log of the service: this configuration does not name it"
    : remedyOf(upstream, server);
  const detail = `${server.status}: ${plain(server.error ?? "no answer yet")}`;
  return fail(name, `${detail}${describeDown(server.down)}`, remedy);
}

/** Says since when a server is down, the next attempt, and the last lines of its process. */
function describeDown(down: ServerState["down"]): string {
  if (down === undefined) return "";
  const { since, retryAt, exit, stderr } = down;
  const facts = [
    `down since ${new Date(since).toISOString()}`,
    ...(exit === null ? [] : [`ended with ${exit}`]),
    retryAt === null ? "not tried again by itself" : `next try ${new Date(retryAt).toISOString()}`,
  ];
  const lines = stderr.map((line) => `\n        ${plain(line)}`);
  const heading = lines.length === 0 ? "" : "\n      Last lines of its standard error:";
  return `; ${facts.join(", ")}${heading}${lines.join("")}`;
}

/** Every text in a configuration, at any depth. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

function withoutPassword(store: string): string {
  return store.replace(/(\/\/[^/:@]*):[^@/]*@/, "$1:…@");
}
