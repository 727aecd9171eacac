import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import type { Visibility } from "../model/decision.ts";
import type { SearchAnswer, SearchRequest } from "../model/search.ts";
import type { Tool } from "../model/tool.ts";
import { analyze, joinName } from "./analyze.ts";
import { formatAnswer } from "./format_answer.ts";

export type { SearchAnswer, SearchHit, SearchRequest } from "../model/search.ts";

/** What a caller may see of a tool; null hides it, and then it changes nothing of any answer. */
export type Visible = (tool: Tool) => Visibility | null;

export interface SearchIndex {
  search(request: SearchRequest, visible: Visible): Promise<SearchAnswer>;
}

export interface SearchIndexDeps {
  readonly snapshot: () => CatalogSnapshot;
  readonly config: Config["search"];
}

export function createSearchIndex(deps: SearchIndexDeps): SearchIndex {
  return {
    search(request, visible) {
      const seen: { tool: Tool; visibility: Visibility; score: number }[] = [];
      const terms = new Set(analyze(request.query));
      const wanted = new Set(request.names ?? []);
      for (const tool of deps.snapshot().tools.values()) {
        const visibility = visible(tool);
        if (visibility === null) continue;
        if (request.server && ![tool.server, tool.serverIdentifier].includes(request.server)) {
          continue;
        }
        if (wanted.size > 0) {
          if (wanted.has(tool.id) || wanted.has(`${tool.server}.${tool.name}`)) {
            seen.push({ tool, visibility, score: 1 });
          }
          continue;
        }
        let score = joinName(request.query) === joinName(tool.name) ? 100 : 0;
        for (
          const term of analyze(`${tool.name} ${tool.name} ${tool.server} ${tool.description}`)
        ) {
          if (terms.has(term)) score++;
        }
        if (score > 0 || terms.size === 0) seen.push({ tool, visibility, score });
      }
      seen.sort((a, b) => b.score - a.score);
      return Promise.resolve(formatAnswer(deps.config, request, seen, seen.length));
    },
  };
}
