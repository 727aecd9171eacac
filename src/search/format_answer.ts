import { declareName, declareTool } from "../catalog/declare.ts";
import type { Config } from "../config/schema.ts";
import type { Visibility } from "../model/decision.ts";
import type { SearchAnswer, SearchHit, SearchRequest } from "../model/search.ts";
import type { Tool } from "../model/tool.ts";
import { estimateTokens } from "../usage/tokens.ts";

/** A tool that matches, in the order of the ranking. */
export interface RankedTool {
  readonly tool: Tool;
  readonly visibility: Visibility;
  readonly score: number;
}

export function formatAnswer(
  config: Config["search"],
  request: SearchRequest,
  ranked: readonly RankedTool[],
  total: number,
): SearchAnswer {
  const detail = request.names ? "full" : request.detail ?? "signatures";
  const limit = request.limit ?? config.limit;
  const lines: string[] = [];
  const hits: SearchHit[] = [];
  let tokens = 0;
  for (const [index, { tool, visibility, score }] of ranked.entries()) {
    const isSigned = detail !== "names" && index < limit;
    if (index >= limit + config.namesMax) break;
    const signature = isSigned
      ? declareTool(tool, {
        detail: detail === "full" ? "full" : "signatures",
        note: noteOf(visibility),
      })
      : undefined;
    const line = signature === undefined
      ? `// ${declareName(tool)}`
      : `// ${tool.id}\n${signature}`;
    tokens += estimateTokens(line);
    if (tokens > config.tokensMax && hits.length > 0) break;
    lines.push(line);
    hits.push({
      name: tool.id,
      server: tool.server,
      title: tool.title,
      description: tool.description.slice(0, 300),
      access: visibility.access,
      effect: visibility.effect,
      score,
      ...(signature === undefined ? {} : { signature }),
    });
  }
  if (hits.length < total) {
    lines.push(`// ${total - hits.length} more; narrow with server or words`);
  }
  return { hits, total, truncated: hits.length < total, declarations: lines.join("\n") };
}

function noteOf(visibility: Visibility): string {
  return visibility.effect === "ask"
    ? `${visibility.access}, asks for approval`
    : visibility.access;
}
