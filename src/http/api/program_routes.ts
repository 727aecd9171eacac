import { z } from "zod";
import { ExecuteInputSchema, SearchInputSchema } from "../../mcp/tool_definitions.ts";
import { declareVisible } from "../../operations/catalog.ts";
import { file, json } from "./answer.ts";
import { ExecutionResultSchema, SearchAnswerSchema } from "./answers/execution_answers.ts";
import { callerIn, SPACE } from "./caller_in.ts";
import { route } from "./route.ts";

/** Routes for the work of agents without MCP. */
export const PROGRAM_ROUTES = [
  route("POST /search", {
    scope: "search",
    summary: "Find tools",
    body: z.strictObject({ ...SearchInputSchema.shape, ...SPACE }),
    answer: json(SearchAnswerSchema),
    handle: (deps, { principal, body: { space, ...input } }) =>
      deps.search(callerIn(deps, principal, space), input),
  }),
  route("POST /execute", {
    scope: "execute",
    summary: "Run a program",
    body: z.strictObject({ ...ExecuteInputSchema.shape, ...SPACE }),
    answer: json(ExecutionResultSchema),
    handle: (deps, { principal, body: { space, ...input }, signal }) =>
      deps.execute(callerIn(deps, principal, space), input, signal),
  }),
  route("GET /types", {
    scope: "search",
    summary: "The typed API",
    query: z.object(SPACE),
    answer: file("text/plain"),
    handle: async (deps, { principal, query }) => {
      const text = await declareVisible(deps, callerIn(deps, principal, query.space));
      return new Response(text, { headers: { "content-type": "text/plain; charset=UTF-8" } });
    },
  }),
] as const;
