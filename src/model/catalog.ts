import type { Tool } from "./tool.ts";

/** Why a tool is listed but cannot be called. */
export type QuarantineReason =
  | "malformed" // the definition does not parse
  | "collision" // two tools would have the same identifier
  | "pending" // new since the baseline; it waits for `tools approve`
  | "drift" // changed since it was approved
  | "blocked"; // an operator blocked it

export interface QuarantinedTool {
  readonly server: string;
  readonly name: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
}

/** Details of why a server is down. */
export interface DownReport {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Next automatic attempt, milliseconds since the epoch; null if there is none. */
  readonly retryAt: number | null;
  /** How its process ended: `exit code 1` or `signal SIGKILL`; null without an ended process. */
  readonly exit: string | null;
  /** The last lines that its process wrote to standard error, oldest first, without secrets. */
  readonly stderr: readonly string[];
}

export interface ServerState {
  readonly server: string;
  readonly serverIdentifier: string;
  readonly title: string;
  /** The server's own description; cleaned, still untrusted. */
  readonly description?: string;
  readonly status: "starting" | "ready" | "stale" | "down";
  /** Why the server is stale or down; null otherwise. */
  readonly error: string | null;
  readonly toolCount: number;
  /** Milliseconds since the epoch of the last good listing; null before the first. */
  readonly listedAt: number | null;
  /** Present while the connection is down. For operators: it holds the server's own words. */
  readonly down?: DownReport;
}

/** All tools and servers at one moment. Immutable: a change makes a new snapshot. */
export interface CatalogSnapshot {
  /** Grows by one with each change. */
  readonly revision: number;
  /** By `Tool.id`. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** By the configured server name. */
  readonly servers: ReadonlyMap<string, ServerState>;
  readonly quarantined: readonly QuarantinedTool[];
}

/** The snapshot before the catalog was opened. */
export const EMPTY_SNAPSHOT: CatalogSnapshot = {
  revision: 0,
  tools: new Map(),
  servers: new Map(),
  quarantined: [],
};
