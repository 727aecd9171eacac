/** Types of the input and the answer of each route, from the table of routes. */
import type { z } from "zod";
import type { Answer } from "./answer.ts";
import type { PathParams } from "./route_key.ts";
import type { ApiRoutes } from "./routes.ts";

export type RouteName = keyof ApiRoutes;

/** Names of the routes that answer with JSON. */
export type JsonRouteName = {
  [Name in RouteName]: [RouteAnswer<Name>] extends [never] ? never : Name;
}[RouteName];

/** The JSON answer of a route; `never` if it has none. */
export type RouteAnswer<Name extends RouteName> = ApiRoutes[Name]["answer"] extends
  Answer<infer Answered> ? Answered : never;

/** Parameters, query and body of a request, before the service adds defaults. */
export type RouteInput<Name extends RouteName> =
  & ParamsOf<Name>
  & Optional<"query", ApiRoutes[Name]["query"]>
  & Optional<"headers", ApiRoutes[Name]["headers"]>
  & BodyOf<ApiRoutes[Name]["body"]>
  & { readonly signal?: AbortSignal };

/** The input as an argument; optional if every part of it is optional. */
export type RouteArguments<Name extends RouteName> = Partial<RouteInput<Name>> extends
  RouteInput<Name> ? readonly [input?: RouteInput<Name>] : readonly [input: RouteInput<Name>];

type ParamsOf<Name extends RouteName> = [PathParams<Name>] extends [never] ? unknown
  : { readonly params: { readonly [Param in PathParams<Name>]: string } };

type Optional<Part extends string, Schema> = Schema extends z.ZodType
  ? { readonly [One in Part]?: z.input<Schema> }
  : unknown;

type BodyOf<Schema> = Schema extends z.ZodType ? { readonly body: z.input<Schema> } : unknown;
