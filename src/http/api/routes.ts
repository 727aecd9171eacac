import { type Context, Hono } from "hono";
import { z } from "zod";
import type { AuditFilter } from "../../audit/audit_query.ts";
import type { ExportFormat } from "../../audit/export/export_audit.ts";
import type { AuditReport } from "../../audit/verify/verify_audit.ts";
import type { ApiKey, ApiKeyRequest } from "../../auth/api_keys.ts";
import { DEFAULT_SPACE, type McpCaller } from "../../mcp/caller.ts";
import {
  type ExecuteInput,
  ExecuteInputSchema,
  type SearchInput,
  SearchInputSchema,
} from "../../mcp/tool_definitions.ts";
import { GateError } from "../../model/errors.ts";
import type { AuditRecord } from "../../model/event.ts";
import type { ExecutionResult } from "../../model/execution.ts";
import type { Principal, Scope } from "../../model/principal.ts";
import type { PolicyStatus } from "../../policy/active_policy.ts";
import type { SearchAnswer } from "../../search/search_index.ts";
import type { ReplayReport } from "../../supervisor/program/replay.ts";
import { MissingScope } from "../protected_resource.ts";
import { readJson } from "../read_body.ts";
import type { AttackReport } from "./attack_service.ts";
import type { CallAnswer } from "./call_services.ts";
import { openapiDocument } from "./openapi_document.ts";
import { parseInput } from "./parse_input.ts";
import {
  type ExplainRequest,
  ExplainRequestSchema,
  ExportQuerySchema,
  FilterSchema,
  KeyRequestSchema,
  PinBodySchema,
} from "./schemas.ts";
import { addUsageRoutes } from "./usage_routes.ts";
import { type CallQuery, CallQuerySchema } from "./usage_schemas.ts";
import type { UsageServices } from "./usage_services.ts";

/** What the JSON API offers; each function trusts its caller's identity and decides the rest itself. */
export interface ApiDeps extends Pick<UsageServices, "usage" | "feedback" | "reportUsage"> {
  readonly version: string;
  readonly canEnter: (principal: Principal, space: string) => boolean;
  readonly search: (caller: McpCaller, input: SearchInput) => Promise<SearchAnswer>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    signal: AbortSignal,
  ) => Promise<ExecutionResult>;
  readonly types: (caller: McpCaller) => Promise<string>;
  readonly tools: (caller: McpCaller) => Promise<unknown>;
  readonly tool: (caller: McpCaller, name: string) => Promise<unknown>;
  readonly toolDiff: (name: string) => Promise<unknown>;
  /** @throws {GateError} `ERR_CHANGED` if the tool is not the one that the pin stands for. */
  readonly approveTool: (principal: Principal, name: string, pin: string) => Promise<unknown>;
  /** @throws {GateError} as `approveTool`. */
  readonly blockTool: (principal: Principal, name: string, pin: string) => Promise<unknown>;
  readonly auditQuery: (
    filter: AuditFilter,
  ) => Promise<{ readonly records: readonly AuditRecord[]; readonly next?: string }>;
  readonly auditShow: (id: string) => Promise<unknown>;
  readonly auditStream: (filter: AuditFilter, signal: AbortSignal) => ReadableStream<Uint8Array>;
  readonly auditExport: (filter: AuditFilter, format: ExportFormat) => Promise<Response>;
  /** Checks every chain of the store, payloads included. */
  readonly auditVerify: () => Promise<AuditReport>;
  readonly createKey: (principal: Principal, request: ApiKeyRequest) => Promise<ApiKey>;
  readonly listKeys: () => Promise<readonly ApiKey[]>;
  /** @throws {GateError} `ERR_NOT_FOUND` */
  readonly revokeKey: (principal: Principal, id: string) => Promise<unknown>;
  readonly policy: () => unknown;
  readonly policyCheck: () => Promise<unknown>;
  readonly policyTest: () => Promise<unknown>;
  /** Reads the configured policy again and activates it if it is good. */
  readonly policyReload: () => Promise<PolicyStatus>;
  /** Server to tool to the pin of its approved definition. */
  readonly pins: () => Promise<{ readonly [server: string]: { readonly [tool: string]: string } }>;
  readonly policyExplain: (request: ExplainRequest) => Promise<unknown>;
  /** Calls with arguments and results; who reads them is recorded. */
  readonly auditCalls: (principal: Principal, query: CallQuery) => Promise<CallAnswer>;
  /** Runs recorded code over recorded answers. */
  readonly replay: (
    principal: Principal,
    execution: string,
    signal: AbortSignal,
  ) => Promise<ReplayReport>;
  readonly health: () => Promise<unknown>;
  /** Hostile programs against the running sandbox, one time at a time. */
  readonly attack: (principal: Principal) => Promise<AttackReport>;
}

const SpaceSchema = { space: z.string().default(DEFAULT_SPACE) };

type Authenticate = (request: Request) => Promise<Principal>;

/** Routes under `/api/v1`, for the console, the command line and automation. */
export function apiRoutes(deps: ApiDeps, authenticate: Authenticate): Hono {
  const api = new Hono();
  const as = async (context: Context, scope: Scope): Promise<Principal> => {
    const principal = await authenticate(context.req.raw);
    if (principal.scopes.includes(scope)) return principal;
    throw new MissingScope([scope], principal);
  };
  const caller = (principal: Principal, space: string): McpCaller => {
    if (deps.canEnter(principal, space)) return { principal, space };
    throw new GateError("ERR_NOT_FOUND", `Space "${space.slice(0, 100)}" does not exist`, {
      hint: "Name a space that the policy opens to you",
    });
  };
  const spaceOf = (context: Context) => context.req.query("space") ?? DEFAULT_SPACE;
  const body = async <T>(context: Context, schema: z.ZodType<T>): Promise<T> =>
    parseInput(schema, await readJson(context.req.raw), "body");

  const shownPin = async (context: Context): Promise<string> => {
    if (context.req.raw.body !== null) return (await body(context, PinBodySchema)).pin;
    throw new GateError("ERR_BAD_REQUEST", "Cannot decide: the request names no pin", {
      hint: 'Send {"pin": "…"} with the pin of the difference that you looked at',
    });
  };

  api.get("/openapi.json", (context) => context.json(openapiDocument(deps.version) as object));
  api.post("/search", async (context) => {
    const principal = await as(context, "search");
    const schema = z.strictObject({ ...SearchInputSchema.shape, ...SpaceSchema });
    const { space, ...input } = await body(context, schema);
    return context.json(await deps.search(caller(principal, space), input));
  });
  api.post("/execute", async (context) => {
    const principal = await as(context, "execute");
    const schema = z.strictObject({ ...ExecuteInputSchema.shape, ...SpaceSchema });
    const { space, ...input } = await body(context, schema);
    return context.json(
      await deps.execute(caller(principal, space), input, context.req.raw.signal),
    );
  });
  api.get("/types", async (context) => {
    const principal = await as(context, "search");
    return context.text(await deps.types(caller(principal, spaceOf(context))));
  });
  api.get("/tools", async (context) => {
    const principal = await as(context, "search");
    return json(await deps.tools(caller(principal, spaceOf(context))));
  });
  api.get("/tools/:name", async (context) => {
    const principal = await as(context, "search");
    return json(await deps.tool(caller(principal, spaceOf(context)), context.req.param("name")));
  });
  api.get("/tools/:name/diff", async (context) => {
    await as(context, "admin");
    return json(await deps.toolDiff(context.req.param("name")));
  });
  api.post("/tools/:name/approve", async (context) => {
    const principal = await as(context, "admin");
    const pin = await shownPin(context);
    return json(await deps.approveTool(principal, context.req.param("name"), pin));
  });
  api.post("/tools/:name/block", async (context) => {
    const principal = await as(context, "admin");
    const pin = await shownPin(context);
    return json(await deps.blockTool(principal, context.req.param("name"), pin));
  });
  api.get("/audit", async (context) => {
    await as(context, "audit");
    return json(await deps.auditQuery(filterOf(context)));
  });
  api.get("/audit/stream", async (context) => {
    await as(context, "audit");
    const stream = deps.auditStream(filterOf(context), context.req.raw.signal);
    return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
  });
  api.get("/audit/export", async (context) => {
    await as(context, "audit");
    const { format, ...filter } = checkedPeriod(
      parseInput(ExportQuerySchema, context.req.query(), "query"),
    );
    return await deps.auditExport(filter as AuditFilter, format);
  });
  api.post("/audit/verify", async (context) => {
    await as(context, "audit");
    return json(await deps.auditVerify());
  });
  api.post("/audit/replay/:execution", async (context) => {
    const principal = await as(context, "auditor");
    return json(
      await deps.replay(principal, context.req.param("execution"), context.req.raw.signal),
    );
  });
  api.get("/audit/calls", async (context) => {
    const principal = await as(context, "auditor");
    const query = checkedPeriod(parseInput(CallQuerySchema, context.req.query(), "query"));
    return json(await deps.auditCalls(principal, query));
  });
  api.get("/audit/:id", async (context) => {
    await as(context, "audit");
    return json(await deps.auditShow(context.req.param("id")));
  });
  api.post("/keys", async (context) => {
    const principal = await as(context, "admin");
    return json(await deps.createKey(principal, await body(context, KeyRequestSchema)), 201);
  });
  api.get("/keys", async (context) => {
    await as(context, "admin");
    return json({ keys: await deps.listKeys() });
  });
  api.delete("/keys/:id", async (context) => {
    const principal = await as(context, "admin");
    return json(await deps.revokeKey(principal, context.req.param("id")));
  });
  api.get("/policy", async (context) => {
    await as(context, "admin");
    return json(deps.policy());
  });
  api.post("/policy/check", async (context) => {
    await as(context, "admin");
    return json(await deps.policyCheck());
  });
  api.post("/policy/reload", async (context) => {
    await as(context, "admin");
    return json(await deps.policyReload());
  });
  api.get("/pins", async (context) => {
    await as(context, "admin");
    return json({ pins: await deps.pins() });
  });
  api.post("/policy/test", async (context) => {
    await as(context, "admin");
    return json(await deps.policyTest());
  });
  api.post("/policy/explain", async (context) => {
    await as(context, "admin");
    return json(await deps.policyExplain(await body(context, ExplainRequestSchema)));
  });
  api.post("/attack", async (context) => json(await deps.attack(await as(context, "admin"))));
  api.get("/health", async (context) => {
    await as(context, "admin");
    return json(await deps.health());
  });
  addUsageRoutes(api, deps, as);
  return api;
}

function filterOf(context: Context): AuditFilter {
  return checkedPeriod(parseInput(FilterSchema, context.req.query(), "query")) as AuditFilter;
}

/** @throws {GateError} `ERR_BAD_REQUEST` for a period that holds nothing. */
function checkedPeriod<T extends { readonly since?: number; readonly until?: number }>(
  query: T,
): T {
  const { since, until } = query;
  if (since === undefined || until === undefined || since < until) return query;
  throw new GateError("ERR_BAD_REQUEST", "Invalid query: since is not before until", {
    hint: "Name an earlier since, or a later until",
  });
}

function json(value: unknown, status = 200): Response {
  return Response.json(value, { status });
}
