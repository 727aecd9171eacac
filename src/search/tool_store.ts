import type { CatalogSnapshot } from "../model/catalog.ts";
import { createYielder } from "../model/time/yield_to_loop.ts";
import type { Tool } from "../model/tool.ts";
import { createOramaDatabase } from "./orama_database.ts";
import { createRanking, type RankResult } from "./ranking.ts";
import type { View } from "./scoring.ts";
import { createSegmentBuilder, FIELDS, type Segment } from "./segment.ts";
import { toDocument, type ToolDocument } from "./tool_document.ts";

/** The tools of all servers, a segment for each, searched through Orama and ranked by our own index. */
export interface ToolStore {
  /** By server. */
  readonly segments: ReadonlyMap<string, Segment>;
  /**
   * Replaces the tools of one server, in slices that do not block. Searches see the old tools until
   * all new ones are added. Calls run one at a time: the next one waits for this one.
   */
  replace(
    server: string,
    tools: readonly Tool[],
    states: CatalogSnapshot["servers"],
  ): Promise<void>;
  drop(server: string): void;
  /** Best first, at most `limit`. */
  search(query: string, view: View, limit: number): RankResult;
  /** Ids given out so far and ids in use. Orama never reuses one. */
  idCounts(): { readonly given: number; readonly used: number };
}

/** How many ids of removed tools may stay before all tools get new numbers. */
const SPARE_IDS = 1_000;

const NOTHING: RankResult = { documents: [], total: 0, pinned: 0 };

export function createToolStore(): ToolStore {
  const ranking = createRanking();
  // One yielder for all servers: many small servers in a row must not block either.
  const giveWay = createYielder();
  const idsByServer = new Map<string, readonly string[]>();
  let database = createOramaDatabase();

  function forget(ids: Iterable<string>): void {
    for (const id of ids) database.remove(id);
    const { given, used } = idCounts();
    if (given > 2 * used + SPARE_IDS) renumber();
  }

  /** Gives all tools new numbers in a new database, without the numbers of removed tools. */
  function renumber(): void {
    database = createOramaDatabase();
    for (const { server, ids, documents } of ranking.segments.values()) {
      for (const [tool, id] of ids.entries()) documents[tool] = database.put(id, server);
    }
  }

  function idCounts() {
    let used = 0;
    for (const ids of idsByServer.values()) used += ids.length;
    return { given: database.idsGiven, used };
  }

  return {
    segments: ranking.segments,
    async replace(server, tools, states) {
      const builder = createSegmentBuilder(server);
      for (const tool of tools) {
        await giveWay();
        const number = database.put(tool.id, tool.server);
        builder.open(number, tool.id, tool, tool.http?.method ?? null);
        const document = toDocument(tool, states.get(tool.server));
        for (const field of FIELDS.keys()) {
          builder.add(field, document[field as keyof ToolDocument]);
        }
      }
      const segment = await builder.seal(giveWay);
      const kept = new Set(tools.map((tool) => tool.id));
      const gone = (idsByServer.get(server) ?? []).filter((id) => !kept.has(id));
      idsByServer.set(server, [...kept]);
      ranking.put(segment);
      forget(gone);
    },
    drop(server) {
      ranking.drop(server);
      forget(idsByServer.get(server) ?? []);
      idsByServer.delete(server);
    },
    search(query, view, limit) {
      if (query.trim() === "") return NOTHING;
      return database.search(query, limit, (term) => ranking.rank(term, view, limit));
    },
    idCounts,
  };
}
