import { type ErrorCode, GateError } from "../model/errors.ts";

/** The JSON API of a service, wherever that runs. */
export interface ApiClient {
  /** False for an application inside this process. */
  readonly isService: boolean;
  /** @throws {GateError} what the service answered, or `ERR_NOT_REACHABLE`. */
  readonly send: (request: ApiRequest) => Promise<Response>;
  /**
   * The answer's JSON. Its form is that of this version's API: both sides are one program.
   *
   * @throws {GateError} as `send`.
   */
  readonly ask: <Answer>(request: ApiRequest) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Below `/api/v1`; build it with `apiPath`. */
  readonly path: string;
  readonly query?: { readonly [name: string]: string | number | undefined };
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface ApiClientOptions {
  readonly isService: boolean;
  /** Origin that requests name. */
  readonly url: string;
  readonly token: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly close?: () => Promise<void>;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const send = async (request: ApiRequest): Promise<Response> => {
    const response = await reach(options, toRequest(options, request));
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  return {
    isService: options.isService,
    send,
    ask: async <Answer>(request: ApiRequest) => await (await send(request)).json() as Answer,
    close: options.close ?? (() => Promise.resolve()),
  };
}

/** A path with each part escaped: a tool's name may hold a slash. */
export function apiPath(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

function toRequest(options: ApiClientOptions, request: ApiRequest): Request {
  const url = new URL(`/api/v1${request.path}`, options.url);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers = new Headers({ authorization: `Bearer ${options.token}` });
  if (request.body !== undefined) headers.set("content-type", "application/json");
  return new Request(url, {
    method: request.method ?? "GET",
    headers,
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
}

async function reach(options: ApiClientOptions, request: Request): Promise<Response> {
  try {
    return await options.fetch(request);
  } catch (error) {
    if (error instanceof GateError || request.signal.aborted) throw error;
    throw new GateError("ERR_NOT_REACHABLE", `Cannot reach the service at ${options.url}`, {
      hint: "See whether it still runs; its log says why it ended",
      cause: error,
    });
  }
}

/** @see RFC 9457 */
async function problemOf(response: Response): Promise<GateError> {
  const text = await response.text();
  let problem: { code?: unknown; title?: unknown; hint?: unknown; tool?: unknown } = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // Not a problem document: the status has to do.
  }
  const { code, title, hint, tool } = problem;
  return new GateError(
    typeof code === "string" ? code as ErrorCode : "ERR_INTERNAL",
    typeof title === "string" ? title : `The service answered ${response.status}`,
    {
      hint: typeof hint === "string" ? hint : "The log of the service says more",
      ...(typeof tool === "string" ? { tool } : {}),
    },
  );
}
