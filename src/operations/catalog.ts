/**
 * Operations on the catalog. Answers come from the caller's view: a tool that the caller may not
 * use does not exist for them.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { PinDecision } from "../catalog/decide_pin.ts";
import { declareTool, declareTools } from "../catalog/declare.ts";
import type { ToolDiff } from "../catalog/diff_definition.ts";
import type { McpCaller } from "../mcp/caller.ts";
import type { CatalogSnapshot, QuarantinedTool, ServerState } from "../model/catalog.ts";
import { lookUp, splitToolName } from "../model/named_tool.ts";
import type { Principal } from "../model/principal.ts";
import type { Access, Tool } from "../model/tool.ts";
import type { Policy } from "../policy/policy.ts";
import { actorOf } from "../supervisor/actor.ts";
import { toolNotFound } from "../supervisor/call/tool_not_found.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";

export interface ListCatalogDeps extends ViewCatalogDeps {
  readonly policy: { readonly current: () => Pick<Policy, "classify"> };
  /** As they are now, connections included. */
  readonly servers: () => readonly ServerState[];
}

export interface ViewCatalogDeps {
  readonly catalog: () => Promise<Pick<Catalog, "snapshot">>;
  readonly view: (principal: Principal, space: string) => Pick<CatalogView, "tools" | "visible">;
}

export interface CatalogListing {
  readonly tools: readonly CatalogTool[];
  /**
   * With scope `admin` all; else the servers of the listed tools, without the reasons of failures.
   */
  readonly servers: readonly ServerState[];
  /** Empty without scope `admin`. */
  readonly quarantined: readonly QuarantinedTool[];
}

export interface CatalogTool {
  readonly tool: Tool;
  readonly access: Access;
  /** The effect for the principal; `hidden` is listed with scope `admin` only. */
  readonly effect: "allow" | "ask" | "hidden";
}

/**
 * Tools, servers, and definitions that wait for a decision.
 *
 * @param which `all`: with scope `admin` also tools hidden from the caller.
 */
export async function listCatalog(
  deps: ListCatalogDeps,
  { principal, space }: McpCaller,
  which: "visible" | "all",
): Promise<CatalogListing> {
  const snapshot = (await deps.catalog()).snapshot();
  const policy = deps.policy.current();
  const view = deps.view(principal, space);
  const isAdmin = principal.scopes.includes("admin");
  const listed = isAdmin && which === "all" ? [...snapshot.tools.values()] : view.tools;
  const tools = listed.map((tool) => ({
    tool,
    access: policy.classify(tool),
    effect: view.visible(tool)?.effect ?? "hidden" as const,
  }));
  if (!isAdmin) return { tools, quarantined: [], servers: ownServers(deps.servers(), view.tools) };
  return { tools, quarantined: snapshot.quarantined, servers: deps.servers() };
}

/** The tools' servers without error texts: a server may write those, and only `admin` sees them. */
function ownServers(servers: readonly ServerState[], tools: readonly Tool[]): ServerState[] {
  const used = new Set(tools.map(({ server }) => server));
  return servers.filter(({ server }) => used.has(server))
    .map(({ down: _, ...state }) => ({ ...state, error: null }));
}

/** One tool that the caller may use. */
export interface ToolRow {
  /** `server.tool` as programs write it. */
  readonly name: string;
  readonly server: string;
  readonly title: string;
  readonly description: string;
  readonly access: Access;
  readonly effect: CatalogTool["effect"];
  /** SHA-256 (hex) of its definition. */
  readonly pin: string;
}

export interface ToolList extends Omit<CatalogListing, "tools"> {
  readonly tools: readonly ToolRow[];
}

/** The tools that the caller may use. */
export async function listTools(deps: ListCatalogDeps, caller: McpCaller): Promise<ToolList> {
  const { tools, ...others } = await listCatalog(deps, caller, "visible");
  return { tools: tools.map(rowOf), ...others };
}

function rowOf({ tool, access, effect }: CatalogTool): ToolRow {
  const { id, server, title, description, pin } = tool;
  return { name: id, server, title, description, access, effect, pin };
}

export interface ShownTool extends Tool, Pick<CatalogTool, "access" | "effect"> {
  /** The TypeScript declaration that programs see. */
  readonly declaration: string;
}

/** @throws {GateError} `ERR_TOOL_NOT_FOUND`, with the same text for a missing and a hidden tool. */
export async function showTool(
  deps: ViewCatalogDeps,
  { principal, space }: McpCaller,
  name: string,
): Promise<ShownTool> {
  const snapshot = (await deps.catalog()).snapshot();
  const spelling = splitToolName(snapshot.tools, name);
  const tool = lookUp(snapshot.tools, spelling);
  const view = deps.view(principal, space);
  const visibility = tool === null ? null : view.visible(tool);
  if (tool === null || visibility === null) {
    throw toolNotFound(snapshot, spelling, (candidate) => view.visible(candidate) !== null);
  }
  return { ...tool, ...visibility, declaration: declareTool(tool) };
}

/** TypeScript declarations of every tool that the caller may use. */
export async function declareVisible(
  deps: ViewCatalogDeps,
  { principal, space }: McpCaller,
): Promise<string> {
  await deps.catalog();
  return declareTools(deps.view(principal, space).tools);
}

export interface PinDeps {
  readonly catalog: () => Promise<Pick<Catalog, "snapshot" | "diff" | "decide">>;
  readonly policy: { readonly current: () => Pick<Policy, "groups"> };
}

/** How a tool differs from its approved definition; null if its server does not list the tool. */
export async function diffTool(
  deps: Pick<PinDeps, "catalog">,
  server: string,
  name: string,
): Promise<ToolDiff | null> {
  return (await deps.catalog()).diff(server, name);
}

/**
 * Approves or blocks exactly the definition that was shown; the catalog records who decided.
 *
 * @throws {PinMismatch} if the definition has changed; nothing was decided then.
 */
export async function decideTool(
  deps: PinDeps,
  principal: Principal,
  decision: Omit<PinDecision, "actor">,
): Promise<void> {
  const actor = actorOf(principal, deps.policy.current());
  await (await deps.catalog()).decide({ ...decision, actor });
}

export interface NamedDiff {
  readonly server: string;
  readonly name: string;
  readonly diff: ToolDiff | null;
}

/** `diffTool` for a tool in either spelling, including one that waits or is blocked. */
export async function diffNamedTool(
  deps: Pick<PinDeps, "catalog">,
  name: string,
): Promise<NamedDiff> {
  const named = originalName((await deps.catalog()).snapshot(), name);
  return { ...named, diff: await diffTool(deps, named.server, named.name) };
}

/** `server.tool` of the approved or blocked tool, and the pin of that definition. */
export interface DecidedTool {
  readonly approved?: string;
  readonly blocked?: string;
  readonly pin: string;
}

/** `decideTool` for a tool in either spelling; returns the decision, the tool and the pin. */
export async function decideNamedTool(
  deps: PinDeps,
  principal: Principal,
  { verb, name, pin }: Omit<PinDecision, "actor" | "server">,
): Promise<DecidedTool> {
  const named = originalName((await deps.catalog()).snapshot(), name);
  await decideTool(deps, principal, { verb, ...named, pin });
  const tool = `${named.server}.${named.name}`;
  return verb === "approve" ? { approved: tool, pin } : { blocked: tool, pin };
}

/** The server's and the tool's own names; unchanged if the spelling fits no callable tool. */
function originalName(
  snapshot: CatalogSnapshot,
  name: string,
): { readonly server: string; readonly name: string } {
  const { server, tool } = splitToolName(snapshot.tools, name);
  const known = lookUp(snapshot.tools, { server, tool });
  return { server: known?.server ?? server, name: known?.name ?? tool };
}

/** Server → tool → pin of its approved definition. */
export interface PinsByServer {
  readonly [server: string]: { readonly [tool: string]: string };
}

export async function listPins(deps: {
  readonly catalog: () => Promise<Pick<Catalog, "snapshot">>;
}): Promise<PinsByServer> {
  const tools = (await deps.catalog()).snapshot().tools.values();
  const byServer = Map.groupBy(tools, (tool) => tool.server);
  return Object.fromEntries([...byServer].map(([server, tools]) => [server, pinsOf(tools)]));
}

/**
 * Pins by name. If a tool and a prompt share a name, the tool's pin wins: it must stay callable.
 */
function pinsOf(tools: readonly Tool[]): PinsByServer[string] {
  return Object.fromEntries(tools.toReversed().map((tool) => [tool.name, tool.pin]));
}
