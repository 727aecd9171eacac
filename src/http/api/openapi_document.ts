import { z } from "zod";
import { ExecuteInputSchema, SearchInputSchema } from "../../mcp/tool_definitions.ts";
import {
  ExplainRequestSchema,
  ExportQuerySchema,
  FilterSchema,
  KeyRequestSchema,
  PinBodySchema,
} from "./schemas.ts";
import {
  CallQuerySchema,
  FeedbackBodySchema,
  ModelUsageBodySchema,
  UsageQuerySchema,
} from "./usage_schemas.ts";

interface Operation {
  readonly method: "get" | "post" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly scope: string;
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
}

const SpaceQuery = z.object({ space: z.string().optional() });

const OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/search",
    summary: "Find tools",
    scope: "search",
    body: SearchInputSchema,
  },
  {
    method: "post",
    path: "/execute",
    summary: "Run a program",
    scope: "execute",
    body: ExecuteInputSchema,
  },
  { method: "get", path: "/types", summary: "The typed API", scope: "search", query: SpaceQuery },
  {
    method: "get",
    path: "/tools",
    summary: "Visible tools, servers, quarantine",
    scope: "search",
    query: SpaceQuery,
  },
  { method: "get", path: "/tools/{name}", summary: "One tool", scope: "search", query: SpaceQuery },
  {
    method: "get",
    path: "/tools/{name}/diff",
    summary: "What changed since its approval",
    scope: "admin",
  },
  {
    method: "post",
    path: "/tools/{name}/approve",
    summary: "Approve the definition with this pin",
    scope: "admin",
    body: PinBodySchema,
  },
  {
    method: "post",
    path: "/tools/{name}/block",
    summary: "Block the definition with this pin",
    scope: "admin",
    body: PinBodySchema,
  },
  {
    method: "get",
    path: "/audit",
    summary: "Records, newest first",
    scope: "audit",
    query: FilterSchema,
  },
  {
    method: "get",
    path: "/audit/calls",
    summary: "Calls with their arguments and results, newest first",
    scope: "auditor",
    query: CallQuerySchema,
  },
  {
    method: "get",
    path: "/audit/{id}",
    summary: "All records of an execution or call",
    scope: "audit",
  },
  {
    method: "get",
    path: "/audit/stream",
    summary: "New records as JSON lines",
    scope: "audit",
    query: FilterSchema,
  },
  {
    method: "get",
    path: "/audit/export",
    summary: "Records as a file",
    scope: "audit",
    query: ExportQuerySchema,
  },
  { method: "post", path: "/audit/verify", summary: "Check the hash chain", scope: "audit" },
  {
    method: "post",
    path: "/audit/replay/{execution}",
    summary: "Run recorded code over recorded results",
    scope: "auditor",
  },
  {
    method: "get",
    path: "/usage",
    summary: "KPIs and cost",
    scope: "audit",
    query: UsageQuerySchema,
  },
  {
    method: "post",
    path: "/usage",
    summary: "Report what a model used for a task or execution",
    scope: "execute",
    body: ModelUsageBodySchema,
  },
  {
    method: "post",
    path: "/feedback",
    summary: "Report whether a task or execution reached its goal",
    scope: "execute",
    body: FeedbackBodySchema,
  },
  {
    method: "post",
    path: "/keys",
    summary: "Create an API key",
    scope: "admin",
    body: KeyRequestSchema,
  },
  { method: "get", path: "/keys", summary: "API keys, without secrets", scope: "admin" },
  { method: "delete", path: "/keys/{id}", summary: "Revoke an API key", scope: "admin" },
  { method: "get", path: "/policy", summary: "The policy in force", scope: "admin" },
  {
    method: "post",
    path: "/policy/check",
    summary: "Problems of the policy files",
    scope: "admin",
  },
  {
    method: "post",
    path: "/policy/reload",
    summary: "Read the configured policy again and activate it",
    scope: "admin",
  },
  { method: "get", path: "/pins", summary: "Pins of approved definitions", scope: "admin" },
  { method: "post", path: "/policy/test", summary: "Run the policy's tests", scope: "admin" },
  {
    method: "post",
    path: "/policy/explain",
    summary: "Explain one decision",
    scope: "admin",
    body: ExplainRequestSchema,
  },
  {
    method: "post",
    path: "/attack",
    summary: "Hostile programs against the running sandbox",
    scope: "admin",
  },
  { method: "get", path: "/health", summary: "What doctor checks", scope: "admin" },
];

/**
 * The API described by itself.
 *
 * @see OpenAPI 3.1.0
 */
export function openapiDocument(version: string): unknown {
  const paths: { [path: string]: { [method: string]: unknown } } = {};
  for (const operation of OPERATIONS) {
    const methods = paths[operation.path] ??= {};
    methods[operation.method] = describe(operation);
  }
  return {
    openapi: "3.1.0",
    info: { title: "toolgate", version },
    servers: [{ url: "/api/v1" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: {
        Problem: {
          type: "object",
          description: "RFC 9457",
          properties: {
            type: { type: "string" },
            title: { type: "string" },
            status: { type: "integer" },
            detail: { type: "string" },
            code: { type: "string" },
            hint: { type: "string" },
          },
          required: ["type", "title", "status", "code"],
        },
      },
    },
  };
}

function describe({ path, summary, scope, body, query }: Operation): unknown {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    schema: schemaOf(schema as z.ZodType),
  }));
  return {
    summary,
    description: `Needs scope \`${scope}\``,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemaOf(body) } },
      },
    }),
    responses: {
      "2XX": { description: "Done" },
      default: {
        description: "Refused or failed",
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    },
  };
}

function schemaOf(schema: z.ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}
