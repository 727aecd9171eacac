import { z } from "zod";
import { GateError } from "../../model/errors.ts";
import {
  decideNamedTool,
  diffNamedTool,
  listPins,
  listTools,
  showTool,
} from "../../operations/catalog.ts";
import { json } from "./answer.ts";
import {
  DecidedToolSchema,
  NamedDiffSchema,
  PinsAnswerSchema,
  ShownToolSchema,
  ToolListSchema,
} from "./answers/catalog_answers.ts";
import { callerIn, SPACE } from "./caller_in.ts";
import { route } from "./route.ts";
import { PinBodySchema } from "./inputs/catalog_inputs.ts";

/** Routes for tools and for the decisions of operators about their definitions. */
export const CATALOG_ROUTES = [
  route("GET /tools", {
    scope: "search",
    summary: "Visible tools, servers, quarantine",
    query: z.object(SPACE),
    answer: json(ToolListSchema),
    handle: (deps, { principal, query }) => listTools(deps, callerIn(deps, principal, query.space)),
  }),
  route("GET /tools/:name", {
    scope: "search",
    summary: "One tool",
    query: z.object(SPACE),
    answer: json(ShownToolSchema),
    handle: (deps, { principal, params, query }) =>
      showTool(deps, callerIn(deps, principal, query.space), params.name),
  }),
  route("GET /tools/:name/diff", {
    scope: "admin",
    summary: "What changed since its approval",
    answer: json(NamedDiffSchema),
    handle: (deps, { params }) => diffNamedTool(deps, params.name),
  }),
  route("POST /tools/:name/approve", {
    scope: "admin",
    summary: "Approve the definition with this pin",
    body: PinBodySchema,
    noBody: noPin,
    answer: json(DecidedToolSchema),
    handle: (deps, { principal, params, body }) =>
      decideNamedTool(deps, principal, { verb: "approve", name: params.name, pin: body.pin }),
  }),
  route("POST /tools/:name/block", {
    scope: "admin",
    summary: "Block the definition with this pin",
    body: PinBodySchema,
    noBody: noPin,
    answer: json(DecidedToolSchema),
    handle: (deps, { principal, params, body }) =>
      decideNamedTool(deps, principal, { verb: "block", name: params.name, pin: body.pin }),
  }),
  route("GET /pins", {
    scope: "admin",
    summary: "Pins of approved definitions",
    answer: json(PinsAnswerSchema),
    handle: async (deps) => ({ pins: await listPins(deps) }),
  }),
] as const;

function noPin(): GateError {
  return new GateError("ERR_BAD_REQUEST", "Cannot decide: the request names no pin", {
    hint: 'Send {"pin": "…"} with the pin of the difference that you looked at',
  });
}
