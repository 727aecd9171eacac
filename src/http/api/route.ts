/**
 * One route of `/api/v1`: path, scope, input, answer and handler. Routing, the checks of scope and
 * input, the OpenAPI document and the client's types are all made from it.
 */
import type { z } from "zod";
import type { Principal, Scope } from "../../model/principal.ts";
import { readJson } from "../read_body.ts";
import type { Answer } from "./answer.ts";
import type { ApiDeps } from "./api_deps.ts";
import { parseInput } from "./parse_input.ts";
import type { PathParams, RouteKey } from "./route_key.ts";

/** The checked input of a handler. */
export interface Asked<Key extends string, Query, Body, Headers> {
  /** Has the scope of the route. */
  readonly principal: Principal;
  readonly params: { readonly [name in PathParams<Key>]: string };
  readonly query: Parsed<Query>;
  readonly body: Parsed<Body>;
  readonly headers: Parsed<Headers>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** The definition of a route, as its file writes it. */
export interface RouteSpec<Key extends RouteKey, Query, Body, Headers, Answered> {
  readonly scope: Scope;
  readonly summary: string;
  /** Parameters without a schema are ignored. */
  readonly query?: Query;
  readonly body?: Body;
  /** The error for a request without a body; absent: the same as for a body that is not JSON. */
  readonly noBody?: () => Error;
  /** Header names in lower case. */
  readonly headers?: Headers;
  readonly answer: Answer<Answered>;
  readonly handle: (
    deps: ApiDeps,
    asked: Asked<Key, Query, Body, Headers>,
  ) => NoInfer<Answered> | Response | Promise<NoInfer<Answered> | Response>;
}

/** A request whose sender has the scope of the route. */
export interface Admitted {
  readonly principal: Principal;
  readonly request: Request;
  readonly params: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string };
}

export interface Route<
  Key extends RouteKey = RouteKey,
  Query extends z.ZodObject | undefined = z.ZodObject | undefined,
  Body extends z.ZodType | undefined = z.ZodType | undefined,
  Headers extends z.ZodObject | undefined = z.ZodObject | undefined,
  Answered = unknown,
> {
  readonly key: Key;
  readonly scope: Scope;
  readonly summary: string;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
  readonly answer: Answer<Answered>;
  /**
   * @throws {GateError} `ERR_BAD_REQUEST` for input that does not fit, and errors of the handler.
   */
  readonly serve: (deps: ApiDeps, admitted: Admitted) => Promise<Response>;
}

export function route<
  const Key extends RouteKey,
  Answered,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Headers extends z.ZodObject | undefined = undefined,
>(
  key: Key,
  spec: RouteSpec<Key, Query, Body, Headers, Answered>,
): Route<Key, Query, Body, Headers, Answered> {
  const { scope, summary, answer } = spec;
  // The type parameter of an absent schema is undefined, so the cast is correct.
  const [query, body, headers] = [spec.query, spec.body, spec.headers] as [Query, Body, Headers];
  return {
    ...{ key, scope, summary, query, body, headers, answer },
    async serve(deps, { principal, request, params, query: sentQuery }) {
      const asked: Asked<Key, Query, Body, Headers> = {
        principal,
        // The router matched this path, so the names of the parameters are those of the key.
        params: params as Asked<Key, Query, Body, Headers>["params"],
        headers: check(headers, () => sentHeaders(headers, request), "header"),
        query: check(query, () => sentQuery, "query"),
        body: await checkBody(body, request, spec.noBody),
        signal: request.signal,
      };
      const answered = await spec.handle(deps, asked);
      if (answered instanceof Response) return answered;
      return Response.json(answered, { status: answer.status });
    },
  };
}

function check<Schema extends z.ZodType | undefined>(
  schema: Schema,
  input: () => unknown,
  what: string,
): Parsed<Schema> {
  const parsed = schema === undefined ? undefined : parseInput(schema, input(), what);
  return parsed as Parsed<Schema>;
}

async function checkBody<Schema extends z.ZodType | undefined>(
  schema: Schema,
  request: Request,
  noBody: (() => Error) | undefined,
): Promise<Parsed<Schema>> {
  if (schema === undefined) return check(schema, () => undefined, "body");
  if (request.body === null && noBody !== undefined) throw noBody();
  const body = await readJson(request);
  return check(schema, () => body, "body");
}

function sentHeaders(schema: z.ZodObject | undefined, request: Request) {
  const names = Object.keys(schema?.shape ?? {});
  return Object.fromEntries(names.map((name) => [name, request.headers.get(name) ?? undefined]));
}
