import { GateError } from "../model/errors.ts";
import type { UpstreamAnswer, UpstreamCall } from "../model/upstream.ts";
import { ConnectError, ConnectionKeeper, StillDownError } from "./connection_keeper.ts";
import { callMcp, type McpAnswer } from "./mcp_call.ts";
import type { McpConnection } from "./mcp_connection.ts";
import { explainMcpError, isConnectionLost, isServerRefusal, isSessionLost } from "./mcp_errors.ts";
import { listMcp, type McpLists } from "./mcp_listing.ts";
import type { SecretMask } from "./secret_mask.ts";
import type { Upstream, UpstreamContext } from "./upstream.ts";
import { type CallName, cancelled, isTooLarge, unreachable } from "./upstream_errors.ts";

export interface McpUpstreamOptions {
  readonly open: (signal: AbortSignal, closed: () => void) => Promise<McpConnection>;
  /** What identifies the server, without secrets. */
  readonly identity: string;
  /** Shown instead of the server's own title. */
  readonly title: string | undefined;
  readonly timeoutMs: number;
  readonly idleStopMs: number;
  readonly mask: SecretMask;
  /** The kind of credential that calls are made with, for the audit. */
  readonly credential: string;
}

const REFUSAL_CHARACTERS_MAX = 10_000;

/**
 * An MCP server as an upstream.
 *
 * A call that was sent is never sent again, except when the server says that it does not know the
 * session, which means that it did not look at the call.
 */
export function createMcpUpstream(context: UpstreamContext, options: McpUpstreamOptions): Upstream {
  let lists: McpLists | null = null;
  const keeper = new ConnectionKeeper({
    open: options.open,
    idleStopMs: options.idleStopMs,
    revived: context.listChanged,
    describe: (error) => options.mask.apply(describe(error)),
    log: (level, message, fields) =>
      context.log(level, message, { server: context.server, ...fields }),
  });

  const use = <T>(work: (connection: McpConnection) => Promise<T>): Promise<T> =>
    keeper.use(
      work,
      isConnectionLost,
      (error, connection) => connection.era === "legacy" && isSessionLost(error),
    );
  const refresh = (signal: AbortSignal) =>
    use(async (connection) => {
      lists = await listMcp(connection, { timeoutMs: options.timeoutMs, signal });
      return { listing: lists.listing, title: connection.title };
    });

  return {
    async list(signal) {
      try {
        const { listing, title } = await refresh(AbortSignal.any([signal, keeper.signal]));
        return { title: options.title ?? title, identity: options.identity, ...listing };
      } catch (error) {
        const reason = explain({ server: context.server, name: "*" }, error);
        if (reason.code !== "ERR_OUTCOME_UNKNOWN") throw reason;
        throw unreachable({ server: context.server, name: "*" }, "broke off", { cause: error });
      }
    },
    async call(call) {
      const signal = AbortSignal.any([call.signal, keeper.signal]);
      try {
        if (lists === null && call.kind !== "tool") await refresh(signal);
        const answer = await use((connection) =>
          callMcp(connection, call, { timeoutMs: options.timeoutMs, signal, lists })
        );
        return sized(call, answer, options.credential);
      } catch (error) {
        if (call.signal.aborted) throw cancelled(call);
        if (!isServerRefusal(error)) throw explain(call, error);
        const text = options.mask.apply(error.message.slice(0, REFUSAL_CHARACTERS_MAX));
        const content = [{ type: "text", text }];
        return sized(call, { content, isError: true }, options.credential);
      }
    },
    status: () => keeper.status,
    close: () => keeper.close(),
  };

  function explain(call: CallName, error: unknown): GateError {
    if (error instanceof StillDownError) {
      return unreachable(call, "is down", { retryAfterMs: error.retryAfterMs });
    }
    if (!(error instanceof ConnectError)) return explainMcpError(call, error, options.timeoutMs);
    const reason = explainMcpError(call, error.cause, options.timeoutMs);
    // Whatever broke, nothing of the call was sent yet.
    return reason.code === "ERR_CREDENTIAL"
      ? reason
      : unreachable(call, "cannot be reached", { cause: error });
  }
}

/** Checks the size of an answer, as JSON, and completes it. */
function sized(call: UpstreamCall, answer: McpAnswer, credential: string): UpstreamAnswer {
  const text = JSON.stringify([answer.content, answer.structuredContent]);
  const bytes = text.length > call.resultBytesMax
    ? text.length
    : new TextEncoder().encode(text).length;
  if (bytes > call.resultBytesMax) throw isTooLarge(call, bytes, call.resultBytesMax);
  return { ...answer, bytes, credential };
}

/** What went wrong with a connection, for the operator: short, one line. */
function describe(error: unknown): string {
  const cause = error instanceof GateError && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
