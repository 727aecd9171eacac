import type { Tool } from "./tool.ts";

/** Why a tool is listed but cannot be called. */
export type QuarantineReason =
  | "malformed" // the definition does not parse
  | "collision" // two tools would have the same identifier
  | "pending" // new since the baseline, waits for `tools approve`
  | "drift" // changed since it was approved
  | "blocked"; // an operator blocked it

export interface QuarantinedTool {
  readonly server: string;
  readonly name: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
}

/** Why a server is down, beyond one sentence. */
export interface DownReport {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** When it is tried next, milliseconds since the epoch; null: not by itself. */
  readonly retryAt: number | null;
  /** How its process ended, `exit code 1` or `signal SIGKILL`; null: it has none, or it still runs. */
  readonly exit: string | null;
  /** The last lines that its process wrote to standard error, oldest first, without secrets. */
  readonly stderr: readonly string[];
}

export interface ServerState {
  readonly server: string;
  readonly serverIdentifier: string;
  readonly title: string;
  /** What the server says of itself; cleaned, still untrusted. */
  readonly description?: string;
  readonly status: "starting" | "ready" | "stale" | "down";
  /** Why it is stale or down. */
  readonly error: string | null;
  readonly toolCount: number;
  /** Milliseconds since the epoch of the last good listing; null before the first. */
  readonly listedAt: number | null;
  /** Present while its connection is down. For operators: it holds the server's own words. */
  readonly down?: DownReport;
}

/** Everything callable at one moment. Immutable: a change makes a new snapshot. */
export interface CatalogSnapshot {
  /** Grows by one with each change. */
  readonly revision: number;
  /** By `Tool.id`. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** By the configured server name. */
  readonly servers: ReadonlyMap<string, ServerState>;
  readonly quarantined: readonly QuarantinedTool[];
}

/** Before the catalog was opened. */
export const EMPTY_SNAPSHOT: CatalogSnapshot = {
  revision: 0,
  tools: new Map(),
  servers: new Map(),
  quarantined: [],
};
