import { GateError } from "../../model/errors.ts";
import type { Log } from "../../model/log.ts";
import { pause } from "../../model/time/pause.ts";
import type { UpstreamStatus } from "../upstream.ts";
import { childEndOf } from "./child_report.ts";
import type { McpConnection } from "./connection.ts";
import type { FailureVerdict } from "./session_loss.ts";

/** Call this when a connection ends by itself, with the reason if known. */
export type Closed = (why?: Error) => void;

export interface KeeperOptions {
  readonly open: (signal: AbortSignal, closed: Closed) => Promise<McpConnection>;
  /** Closes a connection after this much silence; 0 keeps it. */
  readonly idleStopMs: number;
  /** Called when a lost connection is back. */
  readonly revived: () => void;
  /** Words for the status and the log, without secrets. */
  readonly describe: (error: unknown) => string;
  readonly log: Log;
}

/** The upstream failed and the next attempt is not due yet. The cause is that failure. */
export class StillDownError extends Error {
  override readonly name = "StillDownError";
  constructor(readonly retryAfterMs: number, cause: unknown) {
    super("The upstream is down", { cause });
  }
}

/** There is no connection, so nothing was sent. The cause says why. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown; readonly verdict: FailureVerdict };

const CAUSES_MAX = 5;
const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 30_000;
/** Callers wait for a pause this short instead of failing. */
const WAIT_MS_MAX = 1_000;
/** A connection that lived this long was healthy: the count of failures starts again. */
const HEALTHY_MS = 10_000;

/**
 * Keeps one connection alive.
 *
 * Connects at the first use. After a break the keeper connects again: at once the first time, then
 * after a pause that doubles up to 30 s, during which callers fail fast.
 */
export class ConnectionKeeper {
  readonly #options: KeeperOptions;
  readonly #closing = new AbortController();
  #current: Promise<McpConnection> | null = null;
  #status: UpstreamStatus = { status: "starting", error: null };
  #failures = 0;
  #lastFailure: unknown = null;
  #notBefore = 0;
  #inFlight = 0;
  /** The number of running calls on each connection. */
  readonly #users = new Map<McpConnection, number>();
  /** Connections that take no new work and close when their last work ends. */
  readonly #retired = new Set<McpConnection>();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #reviveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get status(): UpstreamStatus {
    return this.#status;
  }

  /** Aborts when the keeper closes. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Runs work over the connection.
   *
   * @param judge decides from an error what happens to the connection and the work. The work is
   * repeated at most once. `repeat` is safe only if the server did not look at the request.
   * @throws {StillDownError} while the next attempt to connect is not due; {ConnectError} if the
   * connection cannot be made; else what the work throws.
   */
  async use<T>(
    work: (connection: McpConnection) => Promise<T>,
    judge: (error: unknown, connection: McpConnection) => Promise<FailureVerdict>,
  ): Promise<T> {
    this.#inFlight += 1;
    clearTimeout(this.#idleTimer);
    try {
      const first = await this.#attempt(work, judge);
      if (first.ok) return first.value;
      if (first.verdict !== "repeat") throw first.error;
      const second = await this.#attempt(work, judge);
      if (!second.ok) {
        // A server that forgets a new session at once counts as down.
        if (second.verdict === "repeat") this.#fail(second.error);
        throw second.error;
      }
      // A restarted server may list other tools than before.
      this.#options.revived();
      return second.value;
    } finally {
      this.#inFlight -= 1;
      this.#watchIdle();
    }
  }

  /** Does the work once. Keeps the connection open until the failure is judged. */
  async #attempt<T>(
    work: (connection: McpConnection) => Promise<T>,
    judge: (error: unknown, connection: McpConnection) => Promise<FailureVerdict>,
  ): Promise<Attempt<T>> {
    const connection = await this.#connect();
    this.#users.set(connection, (this.#users.get(connection) ?? 0) + 1);
    try {
      return { ok: true, value: await work(connection) };
    } catch (error) {
      const verdict = await judge(error, connection);
      if (verdict !== "keep") await this.#discard(connection);
      return { ok: false, error, verdict };
    } finally {
      const others = (this.#users.get(connection) ?? 1) - 1;
      if (others > 0) this.#users.set(connection, others);
      else {
        this.#users.delete(connection);
        if (this.#retired.delete(connection)) await connection.close().catch(() => {});
      }
    }
  }

  /** Allows the next attempt at once. Call it after a change such as a new login. */
  retry(): void {
    this.#failures = 0;
    this.#notBefore = 0;
  }

  async close(): Promise<void> {
    const last = this.#current;
    this.#current = null;
    this.#closing.abort(new Error("The upstream is closed"));
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#reviveTimer);
    const connection = await last?.catch(() => null);
    const all = [...(connection ? [connection] : []), ...this.#retired];
    await Promise.all(all.map((each) => each.close().catch(() => {})));
  }

  async #connect(): Promise<McpConnection> {
    if (this.#current !== null) return await this.#current;
    this.#closing.signal.throwIfAborted();
    const waitMs = this.#notBefore - Date.now();
    if (waitMs > WAIT_MS_MAX) throw new StillDownError(waitMs, this.#lastFailure);
    // Set before the first await, so that concurrent callers share this attempt.
    const { promise, resolve, reject } = Promise.withResolvers<McpConnection>();
    this.#current = promise;
    this.#open(promise, waitMs).then(resolve, reject);
    return await promise;
  }

  /** Connects for one attempt. A later attempt may replace it meanwhile. */
  async #open(attempt: Promise<McpConnection>, waitMs: number): Promise<McpConnection> {
    clearTimeout(this.#reviveTimer);
    const isCurrent = () => this.#current === attempt;
    let openedAt: number | null = null;
    try {
      if (waitMs > 0 && !await pause(waitMs, this.#closing.signal)) {
        throw this.#closing.signal.reason;
      }
      const connection = await this.#options.open(this.#closing.signal, (why) => {
        // The opener itself handles connections that end before the handshake is done.
        if (!isCurrent() || openedAt === null) return;
        this.#current = null;
        if (Date.now() - openedAt > HEALTHY_MS) this.#failures = 0;
        this.#fail(why ?? new Error("The connection ended"));
      });
      openedAt = Date.now();
      this.#status = { status: "ready", error: null };
      return connection;
    } catch (error) {
      if (isCurrent()) this.#current = null;
      this.#fail(error);
      throw new ConnectError(this.#options.describe(error), { cause: error });
    }
  }

  /** Notes a failure and when the next attempt is due. */
  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#failures += 1;
    this.#lastFailure = error;
    const pauseMs = this.#failures < 2
      ? 0
      : Math.min(PAUSE_MS_MIN * 2 ** (this.#failures - 2), PAUSE_MS_MAX);
    const now = Date.now();
    this.#notBefore = now + pauseMs;
    const reason = this.#options.describe(error);
    // Do not warn again if the server stays down for the same reason.
    const level = reason === this.#status.error ? "debug" : "warn";
    const isHopeless = isCredentialError(error);
    this.#status = {
      status: "down",
      error: reason,
      down: {
        since: this.#status.down?.since ?? now,
        retryAt: isHopeless ? null : this.#notBefore,
        ...(childEndOf(error) ?? { exit: null, stderr: [] }),
      },
    };
    this.#options.log(level, "Upstream is down", { error: reason, retryAfterMs: pauseMs });
    clearTimeout(this.#reviveTimer);
    // Without a credential every attempt fails; `retry` is called when there is one.
    if (isHopeless) return;
    this.#reviveTimer = setTimeout(() => void this.#revive(), pauseMs);
  }

  /** Connects again without a caller, so that the catalog hears what the server lists now. */
  async #revive(): Promise<void> {
    try {
      await this.#connect();
      this.#options.revived();
    } catch {
      // `#fail` has noted the failure and scheduled the next attempt.
    }
  }

  /** Drops a connection, so that the next request makes a new one. Other work on it may finish. */
  async #discard(connection: McpConnection): Promise<void> {
    const current = this.#current;
    if (current !== null && await current.catch(() => null) === connection) {
      if (this.#current === current) this.#current = null;
    }
    if (this.#users.has(connection)) this.#retired.add(connection);
    else await connection.close().catch(() => {});
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    const { idleStopMs } = this.#options;
    if (idleStopMs === 0 || this.#inFlight > 0 || this.#closing.signal.aborted) return;
    this.#idleTimer = setTimeout(() => {
      this.#stopIdle().catch((error) =>
        this.#options.log("warn", "Cannot stop an idle upstream", { error: String(error) })
      );
    }, idleStopMs);
  }

  async #stopIdle(): Promise<void> {
    const connection = await this.#current?.catch(() => null);
    if (!connection || this.#inFlight > 0) return;
    this.#options.log("info", "Upstream is idle and stops");
    await this.#discard(connection);
  }
}

function isCredentialError(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth++) {
    if (cause instanceof GateError && cause.code === "ERR_CREDENTIAL") return true;
    cause = cause.cause;
  }
  return false;
}
