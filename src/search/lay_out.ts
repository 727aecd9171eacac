import { declareName, declareTool } from "../catalog/declare.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import { estimateTokens } from "../usage/tokens.ts";
import { resultOf, shareTypes } from "./share_types.ts";

/** A tool that a caller may see, with its place in the ranking. */
export interface RankedTool {
  readonly tool: Tool;
  readonly visibility: Visibility;
  readonly score: number;
}

/** A tool as the answer shows it: with its signature, or by name alone. */
export interface ShownTool extends RankedTool {
  readonly signature: string | null;
}

export interface LayOutOptions {
  readonly detail: "signatures" | "full";
  /** How many may have a signature. */
  readonly signaturesMax: number;
  /** How many may be shown at all. */
  readonly shownMax: number;
  readonly tokensMax: number;
}

/** Tokens that the lines around the tools take. */
const FRAME_TOKENS = 70;
/** The share of the cap that is used, because an estimate of tokens may be too low. */
const ESTIMATE_MARGIN = 0.86;

/**
 * Chooses what to show of each tool under one cap of tokens.
 *
 * First come as many names as fit, because the caller can ask for a name that it sees. Then, in the
 * order of the ranking, names become signatures while there is room. A signature that is too long
 * is shortened; if that is not enough, the name stays. The first tool always has a signature.
 */
export function layOut(ranked: readonly RankedTool[], options: LayOutOptions): ShownTool[] {
  const names: { readonly ranked: RankedTool; readonly tokens: number }[] = [];
  let left = options.tokensMax * ESTIMATE_MARGIN - FRAME_TOKENS;
  for (const [index, entry] of ranked.slice(0, options.shownMax).entries()) {
    const tokens = estimateTokens(`// ${declareName(entry.tool)}\n`);
    // The first tool always stays: it gets a signature.
    if (left - tokens < 0 && index > 0) break;
    left -= tokens;
    names.push({ ranked: entry, tokens });
  }
  const written = new Set<string>();
  const opened = new Set<string>();
  return names.map(({ ranked: entry, tokens }, index): ShownTool => {
    const isFirst = index === 0 && options.signaturesMax > 0;
    if (index >= options.signaturesMax) return { ...entry, signature: null };
    for (const detail of detailsFor(options.detail, index)) {
      const signature = declareTool(entry.tool, { detail, note: noteOf(entry.visibility) });
      const result = resultOf(signature);
      const isShared = result !== null && written.has(result);
      const { serverIdentifier } = entry.tool;
      const more = estimateTokens(indent(signature)) - tokens +
        (opened.has(serverIdentifier) ? 0 : estimateTokens(declareServer(serverIdentifier, ""))) -
        (isShared ? estimateTokens(result) - SHARED_NAME_TOKENS : 0);
      if (more > left && !(isFirst && detail === "short")) continue;
      left -= more;
      if (result !== null) written.add(result);
      opened.add(serverIdentifier);
      return { ...entry, signature };
    }
    return { ...entry, signature: null };
  });
}

/** `Result1` in a signature, and its share of the definition. */
const SHARED_NAME_TOKENS = 6;

/** Places with the most exact declaration that fits; later ones only need to be told apart. */
const EXACT_PLACES = 2;

/** The details to try for a place, the best first. */
function detailsFor(asked: "signatures" | "full", place: number) {
  if (asked === "full") return ["full", "signatures", "short"] as const;
  return place < EXACT_PLACES
    ? ["signatures", "medium", "short"] as const
    : ["medium", "short"] as const;
}

/** What a caller should know before the call; empty for a plain read. */
export function noteOf({ access, effect }: Visibility): string {
  const asks = effect === "ask" ? ["asks for approval"] : [];
  return [...(access === "read" ? [] : [access]), ...asks].join(", ");
}

/**
 * The signatures as one declaration of `tools`, by server; result types that they share appear
 * once.
 */
export function declareShown(shown: readonly ShownTool[]): string {
  const signed = shown.filter(({ signature }) => signature !== null);
  if (signed.length === 0) return "";
  const { types, signatures } = shareTypes(signed.map(({ signature }) => signature ?? ""));
  const servers = [
    ...Map.groupBy(signed.keys(), (index) => signed[index]?.tool.serverIdentifier ?? ""),
  ];
  const blocks = servers.map(([server, indexes]) =>
    declareServer(server, indexes.map((index) => indent(signatures[index] ?? "")).join("\n"))
  );
  return [...types, `declare const tools: {\n${blocks.join("\n")}\n};`].join("\n");
}

function declareServer(identifier: string, members: string): string {
  return `  ${identifier}: {\n${members}\n  };`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `    ${line}`).join("\n");
}

/** The other tools by name, one line each. */
export function listNames(shown: readonly ShownTool[]): string[] {
  return shown.filter(({ signature }) => signature === null)
    .map(({ tool }) => `// ${declareName(tool)}`);
}
