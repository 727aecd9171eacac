import { commentText } from "../catalog/types/print_text.ts";
import type { Config } from "../config/schema.ts";
import type { QuarantinedTool } from "../model/catalog.ts";
import type { SearchAnswer, SearchHit, SearchRequest } from "../model/search.ts";
import { estimateTokens } from "../usage/tokens.ts";
import { declareShown, layOut, listNames, type RankedTool, type ShownTool } from "./lay_out.ts";

/** A server with tools that the caller may see. */
export interface VisibleServer {
  readonly identifier: string;
  readonly title: string;
  readonly toolCount: number;
}

/** The result of a search, before it is laid out. */
export interface Found {
  /** In the order of the ranking. */
  readonly ranked: readonly RankedTool[];
  /** Visible tools that match, shown or not. */
  readonly total: number;
  /** Visible servers; shown if the search found nothing or the request was empty. */
  readonly servers: readonly VisibleServer[];
  /** The requested server has no visible tools. */
  readonly isUnknownServer: boolean;
  /** Visible names near to the query or to a requested name. */
  readonly near: readonly string[];
  /** Of `request.names`, those that do not exist for the caller. */
  readonly missing: readonly string[];
  /** How many servers have not answered since they were configured: their tools are not known. */
  readonly unlisted: number;
  /** For admins only: quarantined tools that match, and why they cannot be called. */
  readonly quarantined: readonly QuarantinedTool[];
}

const SERVERS_SHOWN_MAX = 30;
/** Full docs of named tools may take more tokens than a search. */
const NAMED_TOKENS_FACTOR = 8;

export function formatAnswer(
  config: Config["search"],
  request: SearchRequest,
  found: Found,
): SearchAnswer {
  const isNamed = request.names !== undefined;
  const detail = isNamed ? "full" : request.detail ?? "signatures";
  const limit = request.limit ?? config.limit;
  const isBrowsing = !isNamed && request.query.trim() === "" && request.server === undefined;
  const signaturesMax = isNamed
    ? found.ranked.length
    : detail === "names" || isBrowsing
    ? 0
    : limit;
  const servers = isBrowsing || found.ranked.length === 0 && !isNamed
    ? describeServers(request, found)
    : [];
  const notes = [
    ...describeMissing(found),
    ...describeUnlisted(found),
    ...describeQuarantined(found.quarantined),
  ];
  const taken = estimateTokens([...servers, ...notes].join("\n"));
  const shown = layOut(found.ranked, {
    detail: detail === "full" ? "full" : "signatures",
    signaturesMax,
    shownMax: isNamed ? found.ranked.length : request.limit ?? limit + config.namesMax,
    tokensMax: config.tokensMax * (isNamed ? NAMED_TOKENS_FACTOR : 1) - taken,
  });
  const declarations = [
    ...servers,
    declareShown(shown),
    ...describeNames(shown, isBrowsing),
    ...notes,
    ...describeRest(found.total - shown.length, request.server !== undefined),
  ].filter((line) => line !== "").join("\n");
  return {
    hits: shown.map(toHit),
    total: found.total,
    truncated: shown.length < found.total,
    declarations,
  };
}

function toHit({ tool, visibility, score, signature }: ShownTool): SearchHit {
  return {
    name: tool.id,
    server: tool.server,
    title: tool.title,
    description: commentText(tool.description, 200),
    access: visibility.access,
    effect: visibility.effect,
    score: Math.round(score * 1_000) / 1_000,
    ...(signature === null ? {} : { signature }),
  };
}

function describeNames(shown: readonly ShownTool[], isBrowsing: boolean): string[] {
  const names = listNames(shown);
  if (names.length === 0) return [];
  const hasSignatures = names.length < shown.length;
  return [
    hasSignatures
      ? "// By name; search again with names: [...] for their types:"
      : isBrowsing
      ? "// Some of them:"
      : "",
    ...names,
  ];
}

function describeRest(count: number, isOneServer: boolean): string[] {
  if (count <= 0) return [];
  return [`// ${count} more; narrow with ${isOneServer ? "" : "server or "}words`];
}

function describeServers(request: SearchRequest, found: Found): string[] {
  const { servers } = found;
  if (servers.length === 0) return ["// There are no tools that you may use"];
  const missed = describeMiss(request, found);
  const list = servers.slice(0, SERVERS_SHOWN_MAX).map(({ identifier, title, toolCount }) => {
    const name = commentText(title, 60);
    const about = name === "" || name === identifier ? "" : ` (${name})`;
    return `//   ${identifier}${about}: ${toolCount} ${toolCount === 1 ? "tool" : "tools"}`;
  });
  const more = servers.length - list.length;
  return [
    missed,
    "// Servers; search with words, or with server for the tools of one:",
    ...list,
    more > 0 ? `//   and ${more} more` : "",
    found.near.length > 0 && missed !== "" ? `// Near: ${found.near.join(", ")}` : "",
  ];
}

/** Says what the request asked for and the search did not find; empty for an empty request. */
function describeMiss({ query, server }: SearchRequest, { isUnknownServer }: Found): string {
  if (server !== undefined && isUnknownServer) {
    return `// There is no server "${commentText(server, 100)}"`;
  }
  const words = commentText(query, 100);
  return words === "" ? "" : `// No tool matches "${words}"`;
}

function describeMissing({ missing, near }: Found): string[] {
  if (missing.length === 0) return [];
  const names = missing.slice(0, 20).map((name) => `"${commentText(name, 100)}"`).join(", ");
  const hint = near.length > 0 ? `; near: ${near.join(", ")}` : "";
  return [`// Do not exist: ${names}${hint}`];
}

/** Says that servers without an answer yet may have the tools that were not found. */
function describeUnlisted({ ranked, missing, unlisted }: Found): string[] {
  if (unlisted === 0 || (ranked.length > 0 && missing.length === 0)) return [];
  const servers = unlisted === 1 ? "1 server has" : `${unlisted} servers have`;
  return [`// ${servers} not answered yet; what tools are there is not known`];
}

function describeQuarantined(quarantined: readonly QuarantinedTool[]): string[] {
  if (quarantined.length === 0) return [];
  return [
    "// Cannot be called (shown to operators only):",
    ...quarantined.map(({ server, name, reason, detail }) =>
      `//   ${commentText(server, 60)} "${commentText(name, 80)}": ${reason}; ${
        commentText(detail, 160)
      }`
    ),
  ];
}
