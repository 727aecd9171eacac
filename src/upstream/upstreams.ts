import type { ConfiguredUpstream } from "../config/configured_upstreams.ts";
import { GateError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import type { UpstreamAnswer, UpstreamCall, UpstreamListing } from "../model/upstream.ts";
import { type CallGuard, createCallGuard } from "./call_guard.ts";
import { type ChangeSignal, createChangeSignal } from "./change_signal.ts";
import type { UserOAuth } from "./credentials/user_oauth.ts";
import type { UserTokens } from "./credentials/user_tokens.ts";
import { createDemoUpstreams } from "./demo/demo_upstreams.ts";
import { createChildReaper } from "./mcp/child_reaper.ts";
import { openUpstream } from "./open_upstream.ts";
import type {
  SharedParts,
  SubjectToken,
  Upstream,
  UpstreamContext,
  UpstreamStatus,
} from "./upstream.ts";
import { unreachable } from "./upstream_errors.ts";

/** Every upstream of the service, by its configured name. */
export interface Upstreams {
  readonly servers: readonly string[];
  /** Asks one upstream what it offers. Takes as long as the upstream does, up to its timeout. */
  list(server: string): Promise<UpstreamListing>;
  /**
   * Makes one call. A tool's own error is an answer with `isError`.
   *
   * @throws {GateError} `ERR_UPSTREAM_UNREACHABLE`, `ERR_UPSTREAM_TIMEOUT`, `ERR_UPSTREAM_RESULT`,
   * `ERR_OUTCOME_UNKNOWN` when the connection broke after the call was sent, `ERR_CREDENTIAL`,
   * `ERR_BUSY`, `ERR_CANCELLED`.
   */
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
  /** Tells which server changed its lists; at most once a second per server. */
  onListChanged(listener: (server: string) => void): () => void;
  status(server: string): UpstreamStatus;
  /** The server's place, as in its listings; null if only a listing tells. */
  identity(server: string): string | null;
  /** The login of people at a server where they bring their own accounts; null for all others. */
  userOAuth(server: string): UserOAuth | null;
  /** Ends every connection and child process. */
  close(): Promise<void>;
}

export interface UpstreamsOptions {
  readonly upstreams: readonly ConfiguredUpstream[];
  /** Adds the built-in made-up servers. */
  readonly demo: boolean;
  /** Folder that relative paths start from. */
  readonly baseDir: string;
  readonly resolveSecrets: (text: string) => Promise<string>;
  readonly env: () => { readonly [name: string]: string };
  readonly log: Log;
  /** Largest answer that any call accepts; default 32 MiB. */
  readonly resultBytesMax?: number;
  /** For `auth: {type: token_exchange}`: the token that a caller authenticated with. */
  readonly subjectToken?: SubjectToken;
  /** For `auth: {type: oauth}`: the store for tokens of people. */
  readonly userTokens?: UserTokens;
}

interface Entry {
  readonly upstream: Upstream;
  readonly guard: CallGuard;
  readonly changes: ChangeSignal;
}

const RESULT_BYTES_MAX_DEFAULT = 33_554_432;
/** A listing may be larger than the largest result, so messages get at least this much. */
const MESSAGE_BYTES_MIN = 16_777_216;
const ENVELOPE_BYTES = 65_536;
const DEMO_CALLS_MAX = 64;
const CHANGE_QUIET_MS = 100;
const CHANGE_EVERY_MS = 1_000;

/** Prepares every configured upstream. Nothing connects before it is listed or called. */
export function openUpstreams(options: UpstreamsOptions): Upstreams {
  const listeners = new Set<(server: string) => void>();
  const closing = new AbortController();
  const resultBytesMax = options.resultBytesMax ?? RESULT_BYTES_MAX_DEFAULT;
  const shared: SharedParts = {
    reaper: createChildReaper(),
    baseDir: options.baseDir,
    messageBytesMax: Math.max(resultBytesMax + ENVELOPE_BYTES, MESSAGE_BYTES_MIN),
    subjectToken: options.subjectToken,
    userTokens: options.userTokens,
  };
  const entries = openEntries(
    options,
    shared,
    (server) => listeners.forEach((listener) => listener(server)),
  );
  const find = (server: string): Entry => {
    const entry = entries.get(server);
    if (entry === undefined) throw unreachable({ server, name: "*" }, "is not configured");
    return entry;
  };
  return {
    servers: [...entries.keys()],
    async list(server) {
      const { upstream } = find(server);
      try {
        return await upstream.list(closing.signal);
      } catch (error) {
        throw withReason(error, server, upstream.status().error);
      }
    },
    call: async (call) => {
      const entry = find(call.server);
      return await entry.guard.run(call, call.signal, () => entry.upstream.call(call));
    },
    onListChanged(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    status: (server) => find(server).upstream.status(),
    identity: (server) => find(server).upstream.identity,
    userOAuth: (server) => find(server).upstream.user ?? null,
    async close() {
      listeners.clear();
      closing.abort(new Error("The service stops"));
      for (const { changes } of entries.values()) changes.close();
      await Promise.all([...entries.values()].map(({ upstream }) => upstream.close()));
      await shared.reaper.close();
    },
  };
}

/** Only operators read why a listing failed, so this error says more than the one of a call. */
function withReason(error: unknown, server: string, reason: string | null): unknown {
  if (reason === null || !(error instanceof GateError)) return error;
  if (error.code !== "ERR_UPSTREAM_UNREACHABLE") return error;
  return new GateError(error.code, `Cannot reach "${server}": ${reason}`, {
    hint: error.hint,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

/** Opens each upstream that is not disabled, with its own bounds. */
function openEntries(
  options: UpstreamsOptions,
  shared: SharedParts,
  notify: (server: string) => void,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const add = (
    server: string,
    concurrentCallsMax: number,
    open: (context: UpstreamContext) => Upstream,
  ) => {
    if (entries.has(server)) {
      throw new GateError("ERR_CONFIG", `Cannot use "${server}": two upstreams have this name`, {
        hint: "Rename one of them",
      });
    }
    const changes = createChangeSignal({
      quietMs: CHANGE_QUIET_MS,
      everyMs: CHANGE_EVERY_MS,
      notify: () => notify(server),
    });
    const { resolveSecrets, env, log } = options;
    const upstream = open({ server, resolveSecrets, env, log, listChanged: changes.raise });
    entries.set(server, { upstream, guard: createCallGuard({ concurrentCallsMax }), changes });
  };
  for (const configured of options.upstreams) {
    const { name, settings } = configured;
    if (settings.disabled) continue;
    add(name, settings.concurrentCallsMax, (context) => openUpstream(context, configured, shared));
  }
  const demo = options.demo ? createDemoUpstreams() : new Map<string, Upstream>();
  for (const [server, upstream] of demo) add(server, DEMO_CALLS_MAX, () => upstream);
  return entries;
}
