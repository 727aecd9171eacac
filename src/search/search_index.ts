import { countUnlisted } from "../catalog/count_unlisted.ts";
import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot, QuarantinedTool } from "../model/catalog.ts";
import { nearest } from "../model/nearest.ts";
import type { SearchAnswer, SearchRequest } from "../model/search.ts";
import type { Tool } from "../model/tool.ts";
import { analyze } from "./analyze.ts";
import { findNamed } from "./find_named.ts";
import { formatAnswer, type Found, type VisibleServer } from "./format_answer.ts";
import { type InlineTools, inlineTools } from "./inline_tools.ts";
import type { RankedTool } from "./lay_out.ts";
import type { Semantic } from "./semantic.ts";
import { createSegmentSync } from "./segment_sync.ts";
import { createToolStore } from "./tool_store.ts";
import { createViews, type Visible } from "./views.ts";

export type { SearchAnswer, SearchRequest } from "../model/search.ts";

/** Finds tools by words, among those that the caller may see. */
export interface SearchIndex {
  /**
   * @param visible is called once for each tool; the answers are kept by function. Pass the same
   *   function for the same state of policy and catalog, and a new one after a change.
   */
  search(
    request: SearchRequest,
    visible: Visible,
    options?: SearchOptions,
  ): Promise<SearchAnswer>;
  /** Declarations of the visible tools if there are only a few. */
  inline(visible: Visible, tokensMax: number): InlineTools;
  /** Updates the index from the catalog; a search does that by itself. */
  sync(): Promise<void>;
}

export interface SearchOptions {
  /** Names quarantined tools that match, with their reason. For operators only. */
  readonly showsQuarantined?: boolean;
}

export interface SearchIndexDeps {
  readonly snapshot: () => CatalogSnapshot;
  readonly config: Config["search"];
  /** Also ranks by meaning, if a model is configured. */
  readonly semantic?: Semantic;
}

const RANKED_MAX = 200;
const NEAR_MAX = 5;
/**
 * With more tools, the search does not look for names near to a query: that would take too long.
 */
const NEAR_NAMES_MAX = 5_000;
const QUARANTINED_MAX = 5;

export function createSearchIndex(deps: SearchIndexDeps): SearchIndex {
  const store = createToolStore();
  const views = createViews();
  const { sync } = createSegmentSync(store, deps.snapshot);

  async function rank(
    request: SearchRequest,
    tools: ReadonlyMap<string, Tool>,
    visible: Visible,
  ) {
    const all = views.of(store.segments.values(), tools, visible);
    const { server } = request;
    const view = server === undefined ? all : new Map(
      [...all].filter(([segment]) => isServer(deps.snapshot(), segment.server, server)),
    );
    const byWords = store.search(request.query, view, RANKED_MAX);
    const { documents, total } =
      await deps.semantic?.blend(request.query, view, byWords, RANKED_MAX) ?? byWords;
    const ranked = documents.flatMap(({ id, score }): RankedTool[] => {
      const tool = tools.get(id);
      const visibility = tool === undefined ? null : visible(tool);
      return tool === undefined || visibility === null ? [] : [{ tool, visibility, score }];
    });
    return { ranked, total };
  }

  async function find(request: SearchRequest, visible: Visible): Promise<Found> {
    const snapshot = deps.snapshot();
    const none = {
      servers: [],
      isUnknownServer: false,
      near: [],
      missing: [],
      unlisted: 0,
      quarantined: [],
    };
    if (request.names !== undefined) {
      const { ranked, missing } = findNamed(snapshot, request.names, visible);
      const near = missing.length === 0 ? [] : nearNames(missing, listVisible(snapshot, visible));
      return { ...none, ranked, total: ranked.length, missing, near };
    }
    const isQuery = request.query.trim() !== "";
    if (isQuery) {
      const found = await rank(request, snapshot.tools, visible);
      if (found.ranked.length > 0) return { ...none, ...found };
    }
    const everywhere = listVisible(snapshot, visible);
    const all = everywhere.filter(({ tool }) =>
      request.server === undefined || isServer(snapshot, tool.server, request.server)
    );
    if (all.length === 0) {
      const servers = countServers(snapshot, everywhere);
      const near = nearest(request.server ?? "", servers.map(({ identifier }) => identifier));
      return { ...none, ranked: [], total: 0, servers, near, isUnknownServer: true };
    }
    const servers = countServers(snapshot, all);
    if (!isQuery) return { ...none, ranked: inTurn(all), total: all.length, servers };
    return { ...none, ranked: [], total: 0, servers, near: nearNames([request.query], all) };
  }

  async function bringUp(): Promise<void> {
    const before = [...store.segments.values()];
    await sync();
    const after = [...store.segments.values()];
    const isChanged = after.length !== before.length ||
      after.some((segment, index) => segment !== before[index]);
    if (isChanged) deps.semantic?.update(store.segments, deps.snapshot().tools);
  }

  return {
    sync: bringUp,
    inline: (visible, tokensMax) => inlineTools(deps.snapshot().tools.values(), visible, tokensMax),
    async search(asked, visible, options) {
      const request = settle(asked);
      await bringUp();
      const quarantined = options?.showsQuarantined === true
        ? matchQuarantined(deps.snapshot().quarantined, request)
        : [];
      const found = await find(request, visible);
      const unlisted = countUnlisted(deps.snapshot());
      return formatAnswer(deps.config, request, { ...found, unlisted, quarantined });
    },
  };
}

/** Agents fill in every field: an empty field counts as absent. */
function settle(request: SearchRequest): SearchRequest {
  const { names, server, ...rest } = request;
  return {
    ...rest,
    ...(names === undefined || names.length === 0 ? {} : { names }),
    ...(server === undefined || server.trim() === "" ? {} : { server }),
  };
}

function isServer(snapshot: CatalogSnapshot, server: string, asked: string): boolean {
  return server === asked || snapshot.servers.get(server)?.serverIdentifier === asked;
}

function listVisible(snapshot: CatalogSnapshot, visible: Visible): RankedTool[] {
  return [...snapshot.tools.values()].flatMap((tool): RankedTool[] => {
    const visibility = visible(tool);
    return visibility === null ? [] : [{ tool, visibility, score: 0 }];
  });
}

function countServers(
  snapshot: CatalogSnapshot,
  tools: readonly RankedTool[],
): VisibleServer[] {
  const byServer = Map.groupBy(tools, ({ tool }) => tool.server);
  return [...byServer].map(([server, list]) => ({
    identifier: list[0]?.tool.serverIdentifier ?? server,
    title: snapshot.servers.get(server)?.title ?? "",
    toolCount: list.length,
  })).sort((a, b) => (a.identifier < b.identifier ? -1 : 1));
}

/** Takes the first tool of each server, then the second of each, and so on. */
function inTurn(tools: readonly RankedTool[]): RankedTool[] {
  const places = new Map<string, number>();
  const placed = tools.map((entry) => {
    const place = places.get(entry.tool.server) ?? 0;
    places.set(entry.tool.server, place + 1);
    return { entry, place };
  });
  return placed.sort((a, b) => a.place - b.place).slice(0, RANKED_MAX).map(({ entry }) => entry);
}

/** Visible names whose spelling is near to the requested ones. */
function nearNames(asked: readonly string[], tools: readonly RankedTool[]): string[] {
  if (tools.length > NEAR_NAMES_MAX) return [];
  const ids = new Map<string, string>();
  for (const { tool } of tools) {
    ids.set(tool.id, tool.id);
    if (!ids.has(tool.identifier)) ids.set(tool.identifier, tool.id);
  }
  const near = asked.slice(0, 5).flatMap((name) => nearest(name, ids.keys(), NEAR_MAX));
  return [...new Set(near.flatMap((name) => ids.get(name) ?? []))].slice(0, NEAR_MAX);
}

function matchQuarantined(
  quarantined: readonly QuarantinedTool[],
  request: SearchRequest,
): QuarantinedTool[] {
  const terms = new Set(analyze([request.query, ...request.names ?? []].join(" ")));
  return quarantined.filter(({ server, name }) =>
    (request.server === undefined || request.server === server) &&
    (terms.size === 0 || analyze(`${server} ${name}`).some((term) => terms.has(term)))
  ).slice(0, QUARANTINED_MAX);
}
