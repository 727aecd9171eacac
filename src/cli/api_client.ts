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
    ask: async <Answer>(request: ApiRequest) => {
      const response = await send(request);
      try {
        return await response.json() as Answer;
      } catch (error) {
        throw cutOff(options, request.method, error);
      }
    },
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
    if (options.isService && !isNoConnection(error)) throw cutOff(options, request.method, error);
    throw new GateError("ERR_NOT_REACHABLE", `Cannot reach the service at ${options.url}`, {
      hint: "See whether it still runs; its log says why it ended",
      cause: error,
    });
  }
}

/** Whether the request surely never left: as the runtime words it. */
function isNoConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return /client error \(Connect\)|connection refused|dns error/i.test(`${error} ${cause}`);
}

/** The request was on its way, and no whole answer has come back. */
function cutOff(options: ApiClientOptions, method: string | undefined, cause: unknown): GateError {
  const isRead = (method ?? "GET") === "GET";
  return new GateError(
    isRead ? "ERR_NOT_REACHABLE" : "ERR_OUTCOME_UNKNOWN",
    `The connection to the service at ${options.url} ended before its answer came`,
    {
      hint: isRead
        ? "See whether it still runs; its log says why it ended"
        : 'What was asked for may have been done: look at "toolgate audit list" before you repeat it',
      cause,
    },
  );
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
