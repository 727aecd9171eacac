import type { AuditLog } from "../../audit/audit_log.ts";
import { recordMatcher } from "../../audit/audit_query.ts";
import type { ApiKeys } from "../../auth/api_keys.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { McpCaller } from "../../mcp/caller.ts";
import type { ServerState } from "../../model/catalog.ts";
import { GateError } from "../../model/errors.ts";
import type { AuditEvent } from "../../model/event.ts";
import { lookUp, splitToolName } from "../../model/named_tool.ts";
import type { Principal } from "../../model/principal.ts";
import type { Tool } from "../../model/tool.ts";
import type { ActivePolicy } from "../../policy/active_policy.ts";
import type { Policy } from "../../policy/policy.ts";
import { actorOf } from "../../supervisor/actor.ts";
import { toolNotFound } from "../../supervisor/call/tool_not_found.ts";
import type { CatalogView } from "../../supervisor/catalog_view.ts";
import { exportResponse } from "./export_response.ts";
import type { ApiDeps } from "./routes.ts";
import type { UsageServices } from "./usage_services.ts";

export interface ApiServicesDeps {
  readonly catalog: () => Promise<Catalog>;
  readonly policy: () => Policy;
  /** As they are now, connections included. */
  readonly servers: () => readonly ServerState[];
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly declareTool: (tool: Tool) => string;
  readonly declareTools: (tools: readonly Tool[]) => string;
  readonly audit: AuditLog;
  readonly keys: ApiKeys;
  readonly keyNotes: ActivePolicy["keyNotes"];
  /** Aborted when the service drains: streams would otherwise hold it open. */
  readonly closing: AbortSignal;
}

/** The parts of the API that read the catalog, the audit log and the keys. */
export function createApiServices(deps: ApiServicesDeps): Omit<
  ApiDeps,
  | "search"
  | "execute"
  | "policy"
  | "policyCheck"
  | "policyTest"
  | "policyExplain"
  | "policyReload"
  | "health"
  | "replay"
  | "auditCalls"
  | "attack"
  | "canEnter"
  | "version"
  | keyof UsageServices
> {
  const administer = (principal: Principal, action: string, detail: AuditEvent["detail"]) =>
    deps.audit.append({
      kind: "admin",
      actor: actorOf(principal, deps.policy()),
      detail: { action, ...detail },
    });
  const visibleTool = async ({ principal, space }: McpCaller, name: string): Promise<Tool> => {
    const snapshot = (await deps.catalog()).snapshot();
    const spelling = splitToolName(snapshot.tools, name);
    const tool = lookUp(snapshot.tools, spelling);
    const view = deps.view(principal, space);
    if (tool !== null && view.visible(tool) !== null) return tool;
    throw toolNotFound(snapshot, spelling, (candidate) => view.visible(candidate) !== null);
  };
  /** Server and original name, also of a tool that waits or is blocked. */
  const pinned = async (name: string) => {
    const catalog = await deps.catalog();
    const snapshot = catalog.snapshot();
    const { server, tool } = splitToolName(snapshot.tools, name);
    const known = lookUp(snapshot.tools, { server, tool });
    return { catalog, server: known?.server ?? server, tool: known?.name ?? tool };
  };
  return {
    async types({ principal, space }) {
      await deps.catalog();
      return deps.declareTools(deps.view(principal, space).tools);
    },
    async tools({ principal, space }) {
      const snapshot = (await deps.catalog()).snapshot();
      const view = deps.view(principal, space);
      const isAdmin = principal.scopes.includes("admin");
      const servers = new Set(view.tools.map((tool) => tool.server));
      return {
        tools: view.tools.map((tool) => ({
          name: tool.id,
          server: tool.server,
          title: tool.title,
          description: tool.description,
          ...view.visible(tool),
          pin: tool.pin,
        })),
        quarantined: isAdmin ? snapshot.quarantined : [],
        servers: deps.servers().flatMap(({ down, ...server }) => {
          if (isAdmin) return [down === undefined ? server : { ...server, down }];
          // Why a server is down may be in its own words.
          return servers.has(server.server) ? [{ ...server, error: null }] : [];
        }),
      };
    },
    async tool(caller, name) {
      const tool = await visibleTool(caller, name);
      const visibility = deps.view(caller.principal, caller.space).visible(tool);
      return { ...tool, ...visibility, declaration: deps.declareTool(tool) };
    },
    async toolDiff(name) {
      const { catalog, server, tool } = await pinned(name);
      return { server, name: tool, diff: catalog.diff(server, tool) };
    },
    async approveTool(principal, name, pin) {
      const { catalog, server, tool } = await pinned(name);
      const actor = actorOf(principal, deps.policy());
      await catalog.decide({ verb: "approve", server, name: tool, pin, actor });
      return { approved: `${server}.${tool}`, pin };
    },
    async blockTool(principal, name, pin) {
      const { catalog, server, tool } = await pinned(name);
      const actor = actorOf(principal, deps.policy());
      await catalog.decide({ verb: "block", server, name: tool, pin, actor });
      return { blocked: `${server}.${tool}`, pin };
    },
    async pins() {
      const tools = (await deps.catalog()).snapshot().tools.values();
      const byServer = Map.groupBy(tools, (tool) => tool.server);
      // Of a tool and a prompt of one name, the tool is the one that must be callable.
      const pinsOf = (tools: readonly Tool[]) =>
        Object.fromEntries(tools.toReversed().map((tool) => [tool.name, tool.pin]));
      const pins = [...byServer].map(([server, tools]) => [server, pinsOf(tools)] as const);
      return Object.fromEntries(pins);
    },
    auditQuery: (filter) => deps.audit.query(filter).catch(refuseBadPlace),
    auditExport: (filter, format) => exportResponse(deps.audit, filter, format),
    auditVerify: () => deps.audit.verify(),
    auditShow: (id) => showAudit(deps.audit, id),
    auditStream: (filter, signal) =>
      streamAudit(deps.audit, filter, AbortSignal.any([signal, deps.closing])),
    async createKey(principal, request) {
      const key = await deps.keys.create(request);
      await administer(principal, "keys.create", { id: key.id, name: key.name });
      return { ...key, notes: deps.keyNotes(key) };
    },
    listKeys: () => deps.keys.list(),
    async revokeKey(principal, id) {
      const revoked = await deps.keys.revoke(id);
      if (revoked) await administer(principal, "keys.revoke", { id });
      return revoked;
    },
  };
}

const RECORDS_OF_EXECUTION_MAX = 10_000;

/** All records of one execution, oldest first; `<execution>:<index>` shows one call's. */
async function showAudit(audit: AuditLog, id: string): Promise<unknown> {
  const [execution = "", index] = id.split(":");
  const { records } = await audit.query({ execution, limit: RECORDS_OF_EXECUTION_MAX });
  const wanted = index === undefined ? records : records.filter((record) => record.call === id);
  if (wanted.length === 0) {
    throw new GateError(
      "ERR_NOT_FOUND",
      `The audit log has no execution or call "${id.slice(0, 100)}"`,
      {
        hint: 'See "toolgate audit list"',
      },
    );
  }
  return { id, records: wanted.toReversed() };
}

function refuseBadPlace(error: unknown): never {
  if (!(error instanceof RangeError)) throw error;
  throw new GateError("ERR_BAD_REQUEST", `Cannot read the audit log: ${error.message}`, {
    hint: 'Pass "next" of the page before as "after", unchanged',
    cause: error,
  });
}

function streamAudit(
  audit: AuditLog,
  filter: Parameters<AuditLog["query"]>[0],
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const text = new TextEncoder();
  const matches = recordMatcher(filter);
  let stop = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stop = audit.follow((record) => {
        if (!matches(record)) return;
        // A reader that does not keep up loses its stream, not the log its memory.
        if ((controller.desiredSize ?? 0) < -10_000) return controller.error(new Error("Too slow"));
        controller.enqueue(text.encode(`${JSON.stringify(record)}\n`));
      });
      signal.addEventListener("abort", () => {
        stop();
        try {
          controller.close();
        } catch {
          // The reader was faster.
        }
      }, { once: true });
    },
    cancel: () => stop(),
  });
}
