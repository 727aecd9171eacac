import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import type { SearchAnswer, SearchRequest } from "../model/search.ts";
import { formatAnswer, type RankedTool } from "./format_answer.ts";
import { createSegmentSync } from "./segment_sync.ts";
import { createToolStore } from "./tool_store.ts";
import { createViews, type Visible } from "./views.ts";

export type { SearchAnswer, SearchHit, SearchRequest } from "../model/search.ts";
export type { Visible } from "./views.ts";

/** Finds tools by words, within what the caller may see. */
export interface SearchIndex {
  /**
   * @param viewKey names all that `visible` depends on (policy digest, groups, space): with it, the
   *   policy is asked once for each tool and not once for each tool and search.
   */
  search(request: SearchRequest, visible: Visible, viewKey?: string): Promise<SearchAnswer>;
  /** Brings the index up to the catalog; searches do it by themselves. */
  sync(): Promise<void>;
}

export interface SearchIndexDeps {
  readonly snapshot: () => CatalogSnapshot;
  readonly config: Config["search"];
}

const RANKED_MAX = 200;

export function createSearchIndex(deps: SearchIndexDeps): SearchIndex {
  const store = createToolStore();
  const views = createViews();
  const { sync } = createSegmentSync(store, deps.snapshot);
  return {
    sync,
    async search(request, visible, viewKey) {
      await sync();
      const { tools } = deps.snapshot();
      const view = views.of(store.segments.values(), tools, visible, viewKey ?? null);
      const { documents, total } = store.search(request.query, view, RANKED_MAX);
      const ranked = documents.flatMap(({ id, score }): RankedTool[] => {
        const tool = tools.get(id);
        const visibility = tool === undefined ? null : visible(tool);
        return tool === undefined || visibility === null ? [] : [{ tool, visibility, score }];
      });
      return formatAnswer(deps.config, request, ranked, total);
    },
  };
}
