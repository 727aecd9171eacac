import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import { giveWayAfter } from "../../model/time/yield_to_loop.ts";
import type { UpstreamAnswer, UpstreamCall } from "../../model/upstream.ts";
import { SERVICE } from "../credentials/credentials.ts";
import { describeFailure, networkReason } from "../failure_words.ts";
import { adviseWait } from "../net/read_wait.ts";
import { maskJson, type SecretMask } from "../secret_mask.ts";
import type { Upstream, UpstreamContext } from "../upstream.ts";
import { type CallName, cancelled, isTooLarge, unreachable } from "../upstream_errors.ts";
import { callMcp, type McpAnswer } from "./call.ts";
import type { McpConnection } from "./connection.ts";
import {
  type Closed,
  ConnectError,
  ConnectionKeeper,
  StillDownError,
} from "./connection_keeper.ts";
import { explainMcpError, refusalWords } from "./errors.ts";
import { readHttpError } from "./http_error.ts";
import { createKeeperPool } from "./keeper_pool.ts";
import { listMcp, type McpLists, OddListError } from "./listing.ts";
import { judgeFailure } from "./session_loss.ts";

/** Connects with the credential of one scope. Call `closed` when the connection ends by itself. */
export type OpenConnection = (
  scope: string,
  signal: AbortSignal,
  closed: Closed,
) => Promise<McpConnection>;

export interface McpUpstreamOptions {
  readonly open: OpenConnection;
  /** The scope whose connection a call uses. */
  readonly scopeOf: (principal: Principal) => string;
  /** Identifies the server, without secrets. */
  readonly identity: string;
  /** Shown instead of the server's own title. */
  readonly title: string | undefined;
  readonly timeoutMs: number;
  readonly idleStopMs: number;
  readonly mask: SecretMask;
  /** The kind of credential of the calls, for the audit. */
  readonly credential: string;
  readonly close: () => Promise<void>;
}

const REFUSAL_CHARACTERS_MAX = 10_000;
/** Progress reports passed on for one call, and the length of each message. */
const PROGRESS_MAX = 1_000;
const PROGRESS_CHARACTERS_MAX = 1_000;
/** Idle time after which a connection with a person's credential closes. */
const PERSON_IDLE_MS = 600_000;

/**
 * An MCP server as an upstream.
 *
 * A call is sent at most once, except when the server's refusal shows that it did not look at the
 * call, such as for an unknown session. Then the call is repeated once.
 */
export function createMcpUpstream(
  context: UpstreamContext,
  options: McpUpstreamOptions,
): Upstream & { readonly retry: () => void } {
  let lists: McpLists | null = null;
  const closing = new AbortController();
  const keepers = createKeeperPool((scope) =>
    new ConnectionKeeper({
      open: (signal, closed) => options.open(scope, signal, closed),
      idleStopMs: scope === SERVICE ? options.idleStopMs : PERSON_IDLE_MS,
      revived: context.listChanged,
      describe: (error) => options.mask.apply(describeFailure(error)),
      log: (level, message, fields) =>
        context.log(level, message, { server: context.server, ...fields }),
    })
  );
  const use = <T>(
    scope: string,
    args: unknown,
    work: (live: McpConnection) => Promise<T>,
  ): Promise<T> => keepers.get(scope).use(work, (error, live) => judgeFailure(error, live, args));
  const refresh = (signal: AbortSignal) =>
    use(SERVICE, null, async (live) => {
      lists = await listMcp(live, { timeoutMs: options.timeoutMs, signal });
      return { listing: lists.listing, title: live.title, description: live.instructions };
    });

  return {
    identity: options.identity,
    async list(signal) {
      try {
        const fresh = await refresh(AbortSignal.any([signal, closing.signal]));
        // Servers may repeat connection strings and credentials in their descriptions.
        const { title, description, listing } = maskJson(options.mask, fresh);
        return {
          title: options.title ?? title,
          description,
          identity: options.identity,
          ...listing,
        };
      } catch (error) {
        throw masked(explainListing(context.server, error, options.timeoutMs), options.mask);
      }
    },
    async call(call) {
      const signal = AbortSignal.any([call.signal, closing.signal]);
      try {
        if (lists === null && call.kind !== "tool") await refresh(signal);
        const answer = await use(
          options.scopeOf(call.principal),
          call.args,
          (live) =>
            callMcp(live, { ...call, ...boundedProgress(call, options.mask) }, {
              timeoutMs: options.timeoutMs,
              signal,
              lists,
            }),
        );
        return await complete(call, answer, options);
      } catch (error) {
        if (call.signal.aborted) throw cancelled(call);
        const words = refusalWords(error);
        if (words === null) throw masked(explain(call, error, options.timeoutMs), options.mask);
        const text = options.mask.apply(words).slice(0, REFUSAL_CHARACTERS_MAX);
        const content = [{ type: "text", text }];
        const refused = await complete(call, { content, isError: true }, options);
        const http = readHttpError(error);
        if (http === null) return refused;
        return { ...refused, ...adviseWait("server", http.status, http.retryAfterMs) };
      }
    },
    status: () => keepers.get(SERVICE).status,
    retry() {
      keepers.retry();
      context.listChanged();
    },
    async close() {
      closing.abort(new Error("The upstream is closed"));
      await keepers.close();
      await options.close();
    },
  };
}

/** Turns a failed call into a GateError; its cause keeps the details. */
function explain(call: CallName, error: unknown, timeoutMs: number): GateError {
  const isWaiting = error instanceof StillDownError;
  if (!isWaiting && !(error instanceof ConnectError)) {
    return explainMcpError(call, error, timeoutMs);
  }
  const known = explainMcpError(call, error.cause, timeoutMs);
  if (known.code === "ERR_CREDENTIAL") return known;
  const reason = networkReason(error.cause);
  const said = reason === null ? "" : `: ${reason}`;
  // There was no connection, so nothing of the call was sent.
  return isWaiting
    ? unreachable(call, `is down${said}`, { retryAfterMs: error.retryAfterMs, cause: error })
    : unreachable(call, `cannot be reached${said}`, { ...waitOf(known), cause: error });
}

function waitOf({ hint, retryAfterMs }: GateError): { hint?: string; retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { hint, retryAfterMs };
}

/** Only operators read why a listing failed, so this error repeats the server's words. */
function explainListing(server: string, error: unknown, timeoutMs: number): GateError {
  const name = { server, name: "*" };
  const reason = explain(name, error, timeoutMs);
  const isBusy = readHttpError(error)?.status === 429;
  const isAnswer = !isBusy && refusalWords(error) !== null || error instanceof OddListError;
  if (isAnswer || readHttpError(error) !== null) {
    const code = isAnswer
      ? "ERR_UPSTREAM_RESULT"
      : reason.code === "ERR_OUTCOME_UNKNOWN"
      ? "ERR_UPSTREAM_UNREACHABLE"
      : reason.code;
    return new GateError(code, `Cannot list the tools of "${server}": ${describeFailure(error)}`, {
      hint: isAnswer ? "The server itself says this; give it what it needs" : reason.hint,
      cause: error,
    });
  }
  if (reason.code !== "ERR_OUTCOME_UNKNOWN") return reason;
  return unreachable(name, "broke off", { cause: error });
}

/** The same error with secrets masked, in case the upstream repeats its credential. */
function masked(error: GateError, mask: SecretMask): GateError {
  const message = mask.apply(error.message);
  if (message === error.message) return error;
  const { code, hint, tool, cause, retryAfterMs } = error;
  return new GateError(code, message, {
    hint,
    cause,
    ...(tool === undefined ? {} : { tool }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Checks the size of an answer as JSON, masks secrets in it, and adds size and credential. */
async function complete(
  call: UpstreamCall,
  answer: McpAnswer,
  options: McpUpstreamOptions,
): Promise<UpstreamAnswer> {
  const { content, structuredContent, contents, isError } = answer;
  const text = JSON.stringify({ content, structuredContent });
  const bytes = text.length > call.resultBytesMax ? text.length : Buffer.byteLength(text);
  if (bytes > call.resultBytesMax) throw isTooLarge(call, bytes, call.resultBytesMax);
  await giveWayAfter(bytes);
  const shown = maskJson(options.mask, { content, structuredContent }, text);
  return {
    content: shown.content,
    ...("structuredContent" in answer ? { structuredContent: shown.structuredContent } : {}),
    ...(contents === undefined ? {} : { contents: maskJson(options.mask, contents) }),
    isError,
    bytes,
    credential: options.credential,
  };
}

/** The listener of a call's progress, with a bound and with secrets masked. */
function boundedProgress(
  { onProgress }: UpstreamCall,
  mask: SecretMask,
): Pick<UpstreamCall, "onProgress"> {
  if (onProgress === undefined) return {};
  let heard = 0;
  return {
    onProgress({ progress, total, message }) {
      if (++heard > PROGRESS_MAX) return;
      onProgress({
        progress,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined
          ? {}
          : { message: mask.apply(message.slice(0, PROGRESS_CHARACTERS_MAX)) }),
      });
    },
  };
}
