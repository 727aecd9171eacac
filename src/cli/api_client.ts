import type {
  JsonRouteName,
  RouteAnswer,
  RouteArguments,
  RouteName,
} from "../http/api/client_types.ts";
import { fillPath, splitKey } from "../http/api/route_key.ts";
import { type ErrorCode, GateError } from "../model/errors.ts";

/** A client of the JSON API, of a running service or in this process. */
export interface ApiClient {
  /** False for an application inside this process. */
  readonly isService: boolean;
  /**
   * The answer of a route, JSON or not.
   *
   * @throws {GateError} the error of the service, `ERR_NOT_REACHABLE`, or `ERR_OUTCOME_UNKNOWN`.
   */
  readonly send: <Name extends RouteName>(
    route: Name,
    ...input: RouteArguments<Name>
  ) => Promise<Response>;
  /**
   * The JSON that a route answers with.
   *
   * @throws {GateError} as `send`.
   */
  readonly call: <Name extends JsonRouteName>(
    route: Name,
    ...input: RouteArguments<Name>
  ) => Promise<RouteAnswer<Name>>;
  readonly close: () => Promise<void>;
}

/** The input of any route; the table of routes says which parts a route has. */
interface AnyInput {
  readonly params?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: unknown };
  readonly headers?: { readonly [name: string]: unknown };
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface ApiClientOptions {
  readonly isService: boolean;
  /** Origin of the service. */
  readonly url: string;
  readonly token: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly close?: () => Promise<void>;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const send = async (route: RouteName, input: AnyInput = {}): Promise<Response> => {
    const response = await reach(options, toRequest(options, route, input));
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  return {
    isService: options.isService,
    send: (route, ...[input]) => send(route, input),
    call: async (route, ...[input]) => {
      const response = await send(route, input);
      try {
        // Client and service are one program, so the answer has the type in the table of routes.
        return await response.json();
      } catch (error) {
        throw cutOff(options, splitKey(route).method, error);
      }
    },
    close: options.close ?? (() => Promise.resolve()),
  };
}

function toRequest(options: ApiClientOptions, route: RouteName, input: AnyInput): Request {
  const { method, path } = splitKey(route);
  // A tool's name may hold a slash.
  const filled = fillPath(path, (name) => encodeURIComponent(input.params?.[name] ?? ""));
  const url = new URL(`/api/v1${filled}`, options.url);
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers = new Headers({ authorization: `Bearer ${options.token}` });
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    if (value !== undefined) headers.set(name, String(value));
  }
  if (input.body !== undefined) headers.set("content-type", "application/json");
  return new Request(url, {
    method,
    headers,
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    ...(input.signal === undefined ? {} : { signal: input.signal }),
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

/** True if the request certainly was not sent, judged by the runtime's message. */
function isNoConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return /client error \(Connect\)|connection refused|dns error/i.test(`${error} ${cause}`);
}

/** The error if the request was sent, but no complete answer came back. */
function cutOff(options: ApiClientOptions, method: string, cause: unknown): GateError {
  const isRead = method === "GET";
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
    // Not a problem document: use only the status.
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
