import { declareName, declareTool } from "../catalog/declare.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import { estimateTokens } from "../usage/tokens.ts";

/** A tool that a caller may see, with its place in the ranking. */
export interface RankedTool {
  readonly tool: Tool;
  readonly visibility: Visibility;
  readonly score: number;
}

/** A tool as it is shown: with its signature, or by name alone. */
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
/** What an estimate of tokens may be too low by. */
const ESTIMATE_MARGIN = 0.94;

/**
 * Chooses what to show of each tool under one cap of tokens.
 *
 * Names first, because a name that is seen can be asked for: as many as fit. Then, in the order of
 * the ranking, names become signatures while there is room; one that is too long is shortened, and
 * if that is not enough it stays a name. The first tool always has a signature.
 */
export function layOut(ranked: readonly RankedTool[], options: LayOutOptions): ShownTool[] {
  const names: { readonly ranked: RankedTool; readonly tokens: number }[] = [];
  let left = options.tokensMax * ESTIMATE_MARGIN - FRAME_TOKENS;
  for (const [index, entry] of ranked.slice(0, options.shownMax).entries()) {
    const tokens = estimateTokens(`// ${declareName(entry.tool)}\n`);
    // The first place is kept for a signature instead.
    if (left - tokens < 0 && index > 0) break;
    left -= tokens;
    names.push({ ranked: entry, tokens });
  }
  return names.map(({ ranked: entry, tokens }, index): ShownTool => {
    const isFirst = index === 0 && options.signaturesMax > 0;
    if (index >= options.signaturesMax) return { ...entry, signature: null };
    for (const detail of options.detail === "full" ? DETAILS : DETAILS.slice(1)) {
      const signature = declareTool(entry.tool, { detail, note: noteOf(entry.visibility) });
      const more = estimateTokens(signature) - tokens;
      if (more > left && !(isFirst && detail === "short")) continue;
      left -= more;
      return { ...entry, signature };
    }
    return { ...entry, signature: null };
  });
}

const DETAILS = ["full", "signatures", "short"] as const;

/** What a caller should know before calling; nothing for a plain read. */
function noteOf({ access, effect }: Visibility): string {
  const asks = effect === "ask" ? ["asks for approval"] : [];
  return [...(access === "read" ? [] : [access]), ...asks].join(", ");
}

/** The signatures as one declaration of `tools`, by server. */
export function declareShown(shown: readonly ShownTool[]): string {
  const signed = shown.filter(({ signature }) => signature !== null);
  if (signed.length === 0) return "";
  const servers = [...Map.groupBy(signed, ({ tool }) => tool.serverIdentifier)];
  const blocks = servers.map(([server, tools]) =>
    `  ${server}: {\n${tools.map(({ signature }) => indent(signature ?? "")).join("\n")}\n  };`
  );
  return `declare const tools: {\n${blocks.join("\n")}\n};`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `    ${line}`).join("\n");
}

/** The rest by name, one line each. */
export function listNames(shown: readonly ShownTool[]): string[] {
  return shown.filter(({ signature }) => signature === null)
    .map(({ tool }) => `// ${declareName(tool)}`);
}
