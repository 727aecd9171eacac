import { resolve } from "node:path";
import type { OpenapiServerConfig } from "../../config/upstreams/openapi.ts";
import { GateError } from "../../model/errors.ts";
import { startDeadline } from "../../model/time/deadline.ts";
import type { UpstreamAnswer, UpstreamCall, UpstreamListing } from "../../model/upstream.ts";
import { authorizedFetch } from "../credentials/authorized_fetch.ts";
import { createCredentials, type Credentials } from "../credentials/credentials.ts";
import { explainHttpStatus, explainMcpError, neverSent } from "../mcp/errors.ts";
import { wordsOfBody } from "../mcp/http_error.ts";
import { createOutbound, type Outbound } from "../net/outbound_fetch.ts";
import { createSecretMask, maskedLog, resolveMasked, type SecretMask } from "../secret_mask.ts";
import type { SharedParts, Upstream, UpstreamContext, UpstreamStatus } from "../upstream.ts";
import {
  badResult,
  type CallName,
  cancelled,
  timedOut,
  toolName,
  unreachable,
} from "../upstream_errors.ts";
import { nodeOf, textOf } from "./document.ts";
import { DOCUMENT_BYTES_MAX, parseDocument, unreadable } from "./load_document.ts";
import type { Operation } from "./operation.ts";
import { readHttpAnswer } from "./read_answer.ts";
import { readOperations } from "./read_operations.ts";
import { readSecuritySchemes, securityParts, type SecurityScheme } from "./security.ts";
import { encodePairs, UnwritableError } from "./write_parameters.ts";
import { writeRequest } from "./write_request.ts";

/** A document that was read. */
interface LoadedApi {
  /** Changes when the document changes. */
  readonly version: string;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
  readonly listing: UpstreamListing;
}

/** A call that did not reach the API. */
interface CallFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly status: UpstreamStatus;
}

/** How long an API counts as down after a call that did not reach it: only calls test it. */
const FAILURE_MS_MAX = 300_000;
const REASON_CHARACTERS_MAX = 300;

interface Parts {
  readonly context: UpstreamContext;
  readonly config: OpenapiServerConfig;
  readonly outbound: Outbound;
  readonly credentials: Credentials;
  readonly mask: SecretMask;
}

/** Opens an HTTP API that an OpenAPI document describes: one tool for each operation. */
export function openOpenapi(
  outer: UpstreamContext,
  config: OpenapiServerConfig,
  shared: SharedParts,
): Upstream {
  const spec = /^https?:/.test(config.spec) ? config.spec : resolve(shared.baseDir, config.spec);
  const mask = createSecretMask();
  const context = { ...outer, log: maskedLog(outer.log, mask) };
  const isUrl = /^https?:/.test(spec);
  const outbound = createOutbound({
    // Only the operator's URLs count as configured, not the servers that the document names.
    configured: [config.baseUrl, config.auth?.tokenUrl, isUrl ? spec : undefined]
      .filter((url) => url !== undefined),
    allowPrivateNetwork: config.allowPrivateNetwork,
    responseBytesMax: Math.max(shared.messageBytesMax, isUrl ? DOCUMENT_BYTES_MAX : 0),
    env: context.env,
  });
  const credentials = createCredentials(context, {
    headers: config.headers,
    auth: config.auth,
    outbound: outbound.fetch,
    mask,
    subjectToken: shared.subjectToken,
    userTokens: shared.userTokens,
  });
  const parts: Parts = { context, config, outbound, credentials, mask };
  let loaded: Promise<LoadedApi> | null = null;
  let status: UpstreamStatus = { status: "starting", error: null };
  let lastFailure: CallFailure | null = null;

  const load = async (): Promise<LoadedApi> => {
    const previous = await loaded?.catch(() => null) ?? null;
    const version = isUrl ? null : await fileVersion(spec);
    if (previous !== null && version !== null && previous.version === version) return previous;
    const bytes = isUrl ? await fetchDocument(outbound, spec) : await Deno.readFile(spec);
    return await readApi(parts, spec, bytes, version ?? crypto.randomUUID());
  };
  const refresh = (): Promise<LoadedApi> => {
    const attempt = load();
    loaded = attempt;
    attempt.then(
      () => status = { status: "ready", error: null },
      (error) => {
        status = {
          status: "down",
          error: mask.apply(reasonOf(error)),
        };
        if (loaded === attempt) loaded = null;
      },
    );
    return attempt;
  };
  return {
    identity: config.baseUrl === undefined ? null : withoutQuery(config.baseUrl),
    async list() {
      try {
        return (await refresh()).listing;
      } catch (error) {
        if (error instanceof GateError) throw error;
        throw noDocument({ server: context.server, name: "*" }, error);
      }
    },
    async call(call) {
      const api = await (loaded ?? refresh()).catch((error) => {
        throw error instanceof GateError ? error : noDocument(call, error);
      });
      try {
        const answer = await callOperation(parts, api, call);
        lastFailure = null;
        return answer;
      } catch (error) {
        if (neverSent(error)) lastFailure = failureOf(error, lastFailure, mask);
        throw error;
      }
    },
    status: () =>
      lastFailure !== null && Date.now() - lastFailure.at < FAILURE_MS_MAX
        ? lastFailure.status
        : status,
    user: credentials.user,
    close: () => outbound.close(),
  };
}

/** Notes a call that did not reach the API: the API may be down although its document was read. */
function failureOf(error: unknown, before: CallFailure | null, mask: SecretMask): CallFailure {
  const at = Date.now();
  const isSame = before !== null && at - before.at < FAILURE_MS_MAX;
  return {
    at,
    status: {
      status: "down",
      error: mask.apply(reasonOf(error instanceof GateError ? error.cause : error)),
      down: {
        since: isSame ? before.status.down?.since ?? at : at,
        retryAt: null,
        exit: null,
        stderr: [],
      },
    },
  };
}

/** Without a readable document toolgate knows no operation to call. */
function noDocument(call: CallName, error: unknown): GateError {
  return unreachable(call, `has no readable document: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, REASON_CHARACTERS_MAX);
}

async function fileVersion(path: string): Promise<string> {
  try {
    const { mtime, size } = await Deno.stat(path);
    return `${mtime?.getTime()} ${size}`;
  } catch (error) {
    throw unreadable(
      path,
      error instanceof Deno.errors.NotFound ? "there is no such file" : String(error),
    );
  }
}

async function fetchDocument(outbound: Outbound, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await outbound.fetch(url);
  if (!response.ok) {
    const words = wordsOfBody(await response.text());
    throw unreadable(url, `HTTP ${response.status}${words === null ? "" : `: ${words}`}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function readApi(
  { config }: Parts,
  spec: string,
  bytes: Uint8Array<ArrayBuffer>,
  version: string,
): Promise<LoadedApi> {
  const document = await parseDocument(bytes, spec);
  const documentUrl = /^https?:/.test(spec) ? spec : null;
  const { operations, skipped } = await readOperations(document, {
    variables: config.variables,
    documentUrl,
    baseUrl: config.baseUrl?.replace(/\/+$/, "") ?? null,
    responseHeaders: config.responseHeaders,
  });
  if (operations.length === 0 && skipped.length === 0) {
    throw unreadable(spec, "it describes no operations (paths)");
  }
  const info = nodeOf(document.root.info);
  const firstBase = operations.find(({ baseUrl }) => baseUrl !== null)?.baseUrl;
  const identity = config.baseUrl ?? firstBase ?? spec;
  return {
    version,
    operations: new Map(operations.map((operation) => [operation.name, operation])),
    schemes: readSecuritySchemes(document),
    listing: {
      title: config.title ?? textOf(info.title),
      description: textOf(info.description).slice(0, 4_000),
      identity: withoutQuery(identity),
      isHttpApi: true,
      tools: operations.map(toolOf),
      resources: [],
      prompts: [],
      skipped,
    },
  };
}

function withoutQuery(identity: string): string {
  if (!URL.canParse(identity)) return identity;
  const url = new URL(identity);
  return `${url.origin}${url.pathname}`;
}

/** An operation as an MCP tool definition. */
function toolOf(operation: Operation) {
  const reads = ["GET", "HEAD", "OPTIONS"].includes(operation.method);
  return {
    name: operation.name,
    ...(operation.title === "" ? {} : { title: operation.title }),
    description: operation.description,
    inputSchema: operation.inputSchema,
    ...(operation.outputSchema === null ? {} : { outputSchema: operation.outputSchema }),
    annotations: {
      readOnlyHint: reads,
      destructiveHint: operation.method === "DELETE",
      idempotentHint: reads || operation.method === "PUT" || operation.method === "DELETE",
      openWorldHint: true,
    },
    _meta: {
      "toolgate/http": { method: operation.method, path: operation.path },
      "toolgate/tags": operation.tags,
    },
  };
}

/** Makes one call, once. */
async function callOperation(
  parts: Parts,
  api: LoadedApi,
  call: UpstreamCall,
): Promise<UpstreamAnswer> {
  const { config, credentials, outbound, mask } = parts;
  const operation = api.operations.get(call.name);
  if (operation === undefined) throw badResult(call, "the document no longer has this operation");
  const { baseUrl } = operation;
  if (baseUrl === null) {
    throw unreachable(call, "has no address: its document names no host, so baseUrl must");
  }
  const timeout = new AbortController();
  const deadline = startDeadline(config.timeoutMs, () => timeout.abort());
  const signal = AbortSignal.any([call.signal, timeout.signal]);
  try {
    const request = await authorize(parts, api, operation, write(operation, baseUrl, call));
    // If the operation declares this header, the program's value goes first.
    if (!request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", call.idempotencyKey);
    }
    if (call.traceparent !== null) request.headers.set("traceparent", call.traceparent);
    const fetch = authorizedFetch(outbound.fetch, credentials, credentials.scopeOf(call.principal));
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      signal,
    });
    if (response.status === 401) {
      await response.body?.cancel();
      throw explainHttpStatus(call, 401);
    }
    const answer = await readHttpAnswer(response, {
      bytesMax: call.resultBytesMax,
      mask,
      headers: operation.answerHeaders,
      showsTelling: config.responseHeaders !== "none",
      now: Date.now,
    });
    return { ...answer, credential: credentialKind(parts, operation) };
  } catch (error) {
    if (call.signal.aborted) throw cancelled(call);
    if (timeout.signal.aborted) throw timedOut(call, config.timeoutMs, error);
    throw explainMcpError(call, error, config.timeoutMs);
  } finally {
    deadline.cancel();
  }
}

function write(operation: Operation, baseUrl: string, call: UpstreamCall) {
  try {
    return writeRequest(operation, baseUrl, call.args);
  } catch (error) {
    // A URIError means half a character (a lone surrogate), which UTF-8 cannot write.
    if (!(error instanceof UnwritableError || error instanceof URIError)) throw error;
    const why = error instanceof URIError ? "an argument is not valid text" : error.message;
    throw new GateError(
      "ERR_INVALID_ARGUMENTS",
      `Cannot call "${toolName(call)}": ${why}`,
      {
        hint: "Change this argument",
        tool: toolName(call),
      },
    );
  }
}

/** Adds the credentials of the document's security schemes. */
async function authorize(
  { config, context, mask }: Parts,
  api: LoadedApi,
  operation: Operation,
  request: ReturnType<typeof writeRequest>,
): Promise<ReturnType<typeof writeRequest>> {
  const { headers, query } = await securityParts(
    operation,
    api.schemes,
    config.security,
    (text) => resolveMasked(mask, context.resolveSecrets, "credential", text),
  );
  for (const [name, value] of Object.entries(headers)) {
    const cookies = name === "cookie" ? request.headers.get("cookie") : null;
    request.headers.set(name, cookies === null ? value : `${cookies}; ${value}`);
  }
  // Not with searchParams, which would rewrite the rest of the query.
  const added = encodePairs(Object.entries(query));
  request.url.search = [request.url.search.slice(1), added].filter(Boolean).join("&");
  return request;
}

function credentialKind({ config, credentials }: Parts, operation: Operation): string {
  const scheme = operation.security.flat().find((name) => Object.hasOwn(config.security, name));
  return credentials.kind === "none" && scheme !== undefined
    ? `scheme:${scheme}`
    : credentials.kind;
}
