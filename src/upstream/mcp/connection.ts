import {
  Client,
  type PriorDiscovery,
  SdkError,
  SdkErrorCode,
  type Transport,
  type VersionNegotiationMode,
} from "@modelcontextprotocol/client";
import { z } from "zod";
import type { Log } from "../../model/log.ts";
import type { CallProgress } from "../../model/upstream.ts";
import { readHttpError } from "./http_error.ts";
import { type HeaderDeclaration, paramHeaders } from "./param_headers.ts";
import { unwrapResult } from "./raw_result.ts";

/** A live MCP session with one server, in either protocol era. */
export interface McpConnection {
  readonly era: "modern" | "legacy";
  /** The server's own name; untrusted. */
  readonly title: string;
  /** The server's own instructions for use; untrusted. */
  readonly instructions: string;
  readonly offers: {
    readonly tools: boolean;
    readonly resources: boolean;
    readonly prompts: boolean;
  };
  /** Pass this to the next connection, which then need not ask for the era again. */
  readonly verdict: PriorDiscovery;
  /** Sends one request. Rejects with the SDK's errors; `explainMcpError` reads them. */
  request<T>(
    request: { method: string; params: { [name: string]: unknown } },
    schema: z.ZodType<T>,
    options: RequestBounds,
  ): Promise<T>;
  /** Whether the connection has a session, which the server can forget. */
  readonly hasSession: boolean;
  /**
   * Whether a server of the 2025 era still answers in this session. A JSON-RPC error is an answer.
   */
  answersPing(): Promise<boolean>;
  close(): Promise<void>;
}

export interface RequestBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CallProgress) => void;
  /** Parameters of the tool to repeat as headers (2026-07-28). */
  readonly headers?: readonly HeaderDeclaration[];
}

export interface ConnectOptions {
  readonly transport: Transport;
  /** Which handshakes to try without a verdict: see `VersionNegotiationMode` of the SDK. */
  readonly mode: VersionNegotiationMode;
  readonly verdict: PriorDiscovery | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether the transport has a session that the server can forget. */
  readonly hasSession: () => boolean;
  readonly listChanged: () => void;
  readonly closed: () => void;
  readonly log: Log;
}

export const CLIENT_INFO = { name: "toolgate", version: "0.1.0" };

/** Reported progress extends a request up to this many times its timeout. */
const TOTAL_TIMEOUT_FACTOR = 10;
const TOTAL_TIMEOUT_MS_MAX = 3_600_000;
const RESUBSCRIBE_MS = 5_000;
const PING_MS = 3_000;
const AnyResultSchema = z.looseObject({});

const LIST_CHANGED = [
  "notifications/tools/list_changed",
  "notifications/resources/list_changed",
  "notifications/prompts/list_changed",
] as const;

/**
 * Connects and shakes hands.
 *
 * The client declares no capability: it refuses a server's request for sampling, roots or a form,
 * so that it never accepts anything on behalf of a person.
 */
export async function connectMcp(options: ConnectOptions): Promise<McpConnection> {
  const client = new Client(CLIENT_INFO, {
    capabilities: {},
    versionNegotiation: { mode: options.mode },
    inputRequired: { autoFulfill: false },
  });
  client.onerror = (error) =>
    options.log("debug", "Upstream sent something unexpected", {
      error: error.message.slice(0, 200),
    });
  client.onclose = options.closed;
  for (const method of LIST_CHANGED) client.setNotificationHandler(method, options.listChanged);

  try {
    await client.connect(options.transport, {
      timeout: options.timeoutMs,
      signal: options.signal,
      ...(options.verdict === null ? {} : { prior: options.verdict }),
    });
  } catch (error) {
    await options.transport.close().catch(() => {});
    throw error;
  }
  const era = client.getProtocolEra() === "modern" ? "modern" : "legacy";
  const stopListening = era === "modern" ? followChanges(client, options) : () => {};
  const offered = client.getServerCapabilities() ?? {};
  const discover = client.getDiscoverResult();
  const self = client.getServerVersion();
  return {
    era,
    title: self?.title ?? self?.name ?? "",
    instructions: client.getInstructions() ?? "",
    offers: {
      tools: offered.tools !== undefined,
      resources: offered.resources !== undefined,
      prompts: offered.prompts !== undefined,
    },
    verdict: era === "modern" && discover !== undefined
      ? { kind: "modern", discover }
      : { kind: "legacy" },
    async request(request, schema, bounds) {
      const result = await client.request(request, AnyResultSchema, {
        signal: bounds.signal,
        timeout: bounds.timeoutMs,
        maxTotalTimeout: Math.min(bounds.timeoutMs * TOTAL_TIMEOUT_FACTOR, TOTAL_TIMEOUT_MS_MAX),
        // Progress resets the timeout of a long call, so always ask for progress.
        onprogress: bounds.onProgress ?? (() => {}),
        resetTimeoutOnProgress: true,
        ...(era === "modern" && bounds.headers !== undefined
          ? { headers: paramHeaders(bounds.headers, request.params.arguments) }
          : {}),
      });
      const read = schema.safeParse(unwrapResult(result));
      if (read.success) return read.data;
      throw new SdkError(SdkErrorCode.InvalidResult, read.error.message);
    },
    hasSession: options.hasSession(),
    async answersPing() {
      try {
        await client.request({ method: "ping" }, z.unknown(), { timeout: PING_MS });
        return true;
      } catch (error) {
        // Only a refusal tells that the session is gone: a slow server may be busy.
        const http = readHttpError(error);
        return http === null || http.isAnswer;
      }
    },
    async close() {
      stopListening();
      await client.close();
    },
  };
}

/** Keeps a subscription to list changes open on a 2026-07-28 connection; returns how to end it. */
function followChanges(client: Client, options: ConnectOptions): () => void {
  const offered = client.getServerCapabilities() ?? {};
  const filter = {
    ...(offered.tools?.listChanged ? { toolsListChanged: true } : {}),
    ...(offered.resources?.listChanged ? { resourcesListChanged: true } : {}),
    ...(offered.prompts?.listChanged ? { promptsListChanged: true } : {}),
  };
  if (Object.keys(filter).length === 0) return () => {};
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const subscribe = async (isFirst: boolean): Promise<void> => {
    try {
      const subscription = await client.listen(filter, {
        signal: stop.signal,
        timeout: options.timeoutMs,
      });
      // The server does not repeat changes that happened between two subscriptions.
      if (!isFirst) options.listChanged();
      await subscription.closed;
    } catch (error) {
      if (stop.signal.aborted) return;
      options.log("debug", "Cannot follow the upstream's changes", { error: String(error) });
    }
    if (stop.signal.aborted) return;
    timer = setTimeout(() => follow(false), RESUBSCRIBE_MS);
  };
  const follow = (isFirst: boolean) => {
    subscribe(isFirst).catch((error) =>
      options.log("warn", "The upstream's changes are followed no more", { error: String(error) })
    );
  };
  follow(true);
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
