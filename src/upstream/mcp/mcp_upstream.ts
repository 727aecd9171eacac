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

/** Connects with the authority of one scope. `closed` is to be called when the connection ends by itself. */
export type OpenConnection = (
  scope: string,
  signal: AbortSignal,
  closed: Closed,
) => Promise<McpConnection>;

export interface McpUpstreamOptions {
  readonly open: OpenConnection;
  /** Whose connection a call takes. */
  readonly scopeOf: (principal: Principal) => string;
  /** What identifies the server, without secrets. */
  readonly identity: string;
  /** Shown instead of the server's own title. */
  readonly title: string | undefined;
  readonly timeoutMs: number;
  readonly idleStopMs: number;
  readonly mask: SecretMask;
  /** The kind of credential that calls are made with, for the audit. */
  readonly credential: string;
  readonly close: () => Promise<void>;
}

const REFUSAL_CHARACTERS_MAX = 10_000;
/** Reports of progress that are handed on for one call, and how long each may be. */
const PROGRESS_MAX = 1_000;
const PROGRESS_CHARACTERS_MAX = 1_000;
/** Connections that carry a person's authority end when the person is gone. */
const PERSON_IDLE_MS = 600_000;

/**
 * An MCP server as an upstream.
 *
 * A call that was sent is never sent again, except when the server says that it does not know the
 * session, which means that it did not look at the call.
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
        // Servers like to say what they are connected to, and with what.
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

/** What went wrong, in our words; the cause keeps the rest. */
function explain(call: CallName, error: unknown, timeoutMs: number): GateError {
  const isWaiting = error instanceof StillDownError;
  if (!isWaiting && !(error instanceof ConnectError)) {
    return explainMcpError(call, error, timeoutMs);
  }
  const known = explainMcpError(call, error.cause, timeoutMs);
  if (known.code === "ERR_CREDENTIAL") return known;
  const reason = networkReason(error.cause);
  const said = reason === null ? "" : `: ${reason}`;
  // Whatever broke, nothing of the call was sent yet.
  return isWaiting
    ? unreachable(call, `is down${said}`, { retryAfterMs: error.retryAfterMs, cause: error })
    : unreachable(call, `cannot be reached${said}`, { ...waitOf(known), cause: error });
}

function waitOf({ hint, retryAfterMs }: GateError): { hint?: string; retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { hint, retryAfterMs };
}

/** Only operators read why a listing failed, so it says what the server said. */
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

/** The same error; an upstream that repeats its credential teaches it to nobody. */
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

/** Checks the size of an answer, as JSON, hides secrets that it repeats, and completes it. */
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

/** The listener of a call's progress: bounded, and it hears no secret that the upstream repeats. */
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
