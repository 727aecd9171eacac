import type { Tool } from "../model/tool.ts";
import { declareTool } from "../catalog/declare.ts";
import { estimateTokens } from "../usage/tokens.ts";
import { declareShown, noteOf, type ShownTool } from "./lay_out.ts";
import type { Visible } from "./views.ts";

/** Declarations of a small catalog, for the description of `execute`. */
export interface InlineTools {
  /** Empty if most of the tools do not fit. */
  readonly text: string;
  readonly complete: boolean;
  readonly shown: number;
  readonly total: number;
}

/** A list without more than this share of the tools would mislead: then none is shown. */
const SHOWN_SHARE_MIN = 0.5;
const FRAME_TOKENS = 40;
/** With more visible tools than this, a catalog counts as large. */
const TOOLS_MAX = 400;

/** Takes tools from all servers in turn until the next tool does not fit. */
export function inlineTools(
  tools: Iterable<Tool>,
  visible: Visible,
  tokensMax: number,
): InlineTools {
  const seen: ShownTool[] = [];
  let total = 0;
  for (const tool of tools) {
    const visibility = visible(tool);
    if (visibility === null) continue;
    if (++total <= TOOLS_MAX) seen.push({ tool, visibility, score: 0, signature: null });
  }
  if (total > TOOLS_MAX) return { text: "", complete: false, shown: 0, total };
  const shown: ShownTool[] = [];
  let left = tokensMax - FRAME_TOKENS;
  for (const entry of inTurn(seen)) {
    const signature = declareTool(entry.tool, { note: noteOf(entry.visibility) });
    left -= estimateTokens(signature);
    if (left < 0) break;
    shown.push({ ...entry, signature });
  }
  if (total === 0 || shown.length < total * SHOWN_SHARE_MIN) {
    return { text: "", complete: total === 0, shown: 0, total };
  }
  const complete = shown.length === total;
  const head = complete
    ? `// COMPLETE list of the ${total} tools:`
    : `// PARTIAL list, ${shown.length} of ${total} tools; find the others with search:`;
  return { text: `${head}\n${declareShown(shown)}`, complete, shown: shown.length, total };
}

function* inTurn(entries: readonly ShownTool[]): Generator<ShownTool> {
  const servers = [...Map.groupBy(entries, ({ tool }) => tool.server).values()];
  const longest = Math.max(0, ...servers.map((list) => list.length));
  for (let index = 0; index < longest; index++) {
    for (const list of servers) {
      const entry = list[index];
      if (entry !== undefined) yield entry;
    }
  }
}
