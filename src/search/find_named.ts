import type { CatalogSnapshot } from "../model/catalog.ts";
import type { Tool } from "../model/tool.ts";
import type { RankedTool } from "./lay_out.ts";
import type { Visible } from "./views.ts";

const NAMES_MAX = 50;

/**
 * Finds the visible tools with exactly these names, in the order of the names.
 *
 * A name is `server.tool` in either spelling, or a tool's name alone, which finds every tool of
 * that name. A hidden tool is missing like one that does not exist.
 */
export function findNamed(
  snapshot: CatalogSnapshot,
  names: readonly string[],
  visible: Visible,
): { readonly ranked: readonly RankedTool[]; readonly missing: readonly string[] } {
  const wanted = [...new Set(names)].slice(0, NAMES_MAX);
  const spellings = indexSpellings(
    snapshot,
    new Set(wanted.flatMap((name) => [name, spelled(name)])),
  );
  const ranked = new Map<string, RankedTool>();
  const missing: string[] = [];
  for (const name of wanted) {
    const seen = (spellings.get(name) ?? spellings.get(spelled(name)) ?? []).flatMap(
      (tool): RankedTool[] => {
        const visibility = visible(tool);
        return visibility === null ? [] : [{ tool, visibility, score: 1 }];
      },
    );
    if (seen.length === 0) missing.push(name);
    for (const entry of seen.slice(0, NAMES_MAX)) ranked.set(entry.tool.id, entry);
  }
  return { ranked: [...ranked.values()].slice(0, NAMES_MAX), missing };
}

/** `orders.list` of `tools.orders.list()`, as programs write it. */
function spelled(name: string): string {
  return name.trim().replace(/^tools\./, "").replace(/\(.*\)$/s, "");
}

function indexSpellings(
  snapshot: CatalogSnapshot,
  wanted: ReadonlySet<string>,
): Map<string, Tool[]> {
  const found = new Map<string, Tool[]>();
  for (const tool of snapshot.tools.values()) {
    const spellings = new Set([
      tool.id,
      `${tool.server}.${tool.name}`,
      `${tool.serverIdentifier}.${tool.name}`,
      tool.name,
      tool.identifier,
    ]);
    for (const spelling of spellings) {
      if (!wanted.has(spelling)) continue;
      const list = found.get(spelling);
      if (list) list.push(tool);
      else found.set(spelling, [tool]);
    }
  }
  return found;
}
