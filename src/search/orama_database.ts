/**
 * Orama has two tasks here: it keeps the ids of the tools, and asks an index for the best of them.
 *
 * The index is our own (`ranking.ts`). Orama's does not split names, completes every word of a
 * query, and takes more than a second for a query at 50,000 tools.
 */
import { create, getByID, insert, remove, search } from "@orama/orama";
import * as components from "@orama/orama/components";
import type { RankResult } from "./ranking.ts";
import { compareScored } from "./top_scores.ts";

export interface OramaDatabase {
  /** Ids given out so far. Orama never reuses one. */
  readonly idsGiven: number;
  /** @returns the number of the tool, which `Segment.documents` keeps */
  put(id: string, server: string): number;
  remove(id: string): void;
  /** Best first. @param rank our index, asked once with the query */
  search(query: string, limit: number, rank: (query: string) => RankResult): RankResult;
}

/**
 * A search in progress. Orama calls our index synchronously and passes only the query; this object
 * holds the other arguments and the whole answer meanwhile.
 */
interface OramaCall {
  readonly rank: (query: string) => RankResult;
  answer: RankResult;
}

const NOTHING: RankResult = { documents: [], total: 0, pinned: 0 };

export function createOramaDatabase(): OramaDatabase {
  let call: OramaCall | null = null;
  const index = {
    ...components.index,
    // A tool's words go into its server's segment, which the ranking replaces as a whole.
    insert() {},
    remove: () => true,
    search(_index: unknown, query: string): [number, number][] {
      if (call === null) return [];
      call.answer = call.rank(query);
      return call.answer.documents.map(({ segment, tool, score }) => [
        segment.documents[tool] ?? 0,
        score,
      ]);
    },
  };
  const database = create({
    schema: { server: "enum" } as const,
    sort: { enabled: false },
    components: { index },
  });
  const ids = database.internalDocumentIDStore;

  return {
    get idsGiven() {
      return ids.internalIdToId.length;
    },
    put(id, server) {
      // Orama refuses an id that it already has; a tool that is listed again keeps its number.
      if (getByID(database, id) === undefined) insert(database, { id, server });
      const number = ids.idToInternalId.get(id);
      if (number === undefined) throw new TypeError("Orama gave a tool no number");
      return number;
    },
    remove: (id) => void remove(database, id),
    search(query, limit, rank) {
      call = { rank, answer: NOTHING };
      try {
        const found = search(database, { term: query, limit, sortBy });
        if (found instanceof Promise) throw new TypeError("Orama became asynchronous");
        return { ...call.answer, documents: inOrderOf(found.hits, call.answer) };
      } finally {
        call = null;
      }
    },
  };
}

type Entry = [number, number, { readonly id: string }];

/** Orders equal scores by id; Orama itself would order them by when the tools were added. */
function sortBy([, scoreA, a]: Entry, [, scoreB, b]: Entry): number {
  return compareScored({ score: scoreA, id: a.id }, { score: scoreB, id: b.id });
}

function inOrderOf(hits: readonly { readonly id: string }[], answer: RankResult) {
  const byId = new Map(answer.documents.map((document) => [document.id, document]));
  return hits.map(({ id }) => byId.get(id)).filter((document) => document !== undefined);
}
