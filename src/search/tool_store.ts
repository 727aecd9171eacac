import { create, insert, remove, search } from "@orama/orama";
import * as components from "@orama/orama/components";
import type { CatalogSnapshot } from "../model/catalog.ts";
import { createYielder } from "../model/time/yield_to_loop.ts";
import type { Tool } from "../model/tool.ts";
import { analyze } from "./analyze.ts";
import { createRanking, type RankResult } from "./ranking.ts";
import type { RankedDocument, View } from "./scoring.ts";
import { createSegmentBuilder, type Segment } from "./segment.ts";
import { toDocument } from "./tool_document.ts";
import { compareScored } from "./top_scores.ts";

/**
 * The tools in Orama, ranked by our own index in its `components.index`.
 *
 * Orama keeps the documents and runs the search; what a word is, which tools match and how well comes
 * from here. Its own tokenizer, index and sorter are never asked: they do not split names, complete
 * every word of a query, and take more than a second for one at 50,000 tools.
 */
export interface ToolStore {
  /** By server. */
  readonly segments: ReadonlyMap<string, Segment>;
  /**
   * Replaces the tools of one server, in slices that do not block. Searches see the old tools until
   * all new ones are in. One at a time: the next call waits for this one.
   */
  replace(
    server: string,
    tools: readonly Tool[],
    states: CatalogSnapshot["servers"],
  ): Promise<void>;
  drop(server: string): void;
  /** Best first, at most `limit`. */
  search(query: string, view: View, limit: number): RankResult;
  /** Ids given out so far and ids in use. Orama never takes one back. */
  idCounts(): { readonly given: number; readonly used: number };
}

const SCHEMA = {
  server: "enum",
  name: "string",
  title: "string",
  summary: "string",
  details: "string",
  parameters: "string",
  parameterDocs: "string",
  values: "string",
  results: "string",
  tags: "string",
  serverTitle: "string",
  serverDescription: "string",
  path: "string",
  aliases: "string",
} as const;

/** What is at work while Orama runs: it is synchronous, and has no place for these. */
interface Hand {
  /** The tool that goes in, and where its internal id and texts are to go. */
  inserting: {
    readonly place: (internalId: number) => void;
    readonly add: (field: string, text: string) => void;
  } | null;
  asked: { readonly view: View; readonly limit: number } | null;
  answer: RankResult;
}

/** Ids of removed tools that are kept before all are numbered anew. */
const SPARE_IDS = 1_000;

const NOTHING: RankResult = { documents: [], total: 0, pinned: 0 };

export function createToolStore(): ToolStore {
  const ranking = createRanking();
  // One for all servers: many small ones in a row must not block either.
  const giveWay = createYielder();
  const hand: Hand = { inserting: null, asked: null, answer: NOTHING };
  const idsByServer = new Map<string, readonly string[]>();
  const createDatabase = () =>
    create({
      schema: SCHEMA,
      sort: { enabled: false },
      components: {
        tokenizer: { language: "english", normalizationCache: new Map(), tokenize: analyze },
        index: createIndexComponent(ranking.rank, hand),
        documentsStore: createDocumentsComponent(),
      },
    });
  let database = createDatabase();

  function put(document: OramaDocument, inserting: Hand["inserting"]): void {
    hand.inserting = inserting;
    try {
      insert(database, document);
    } finally {
      hand.inserting = null;
    }
  }

  function forget(ids: Iterable<string>): void {
    for (const id of ids) remove(database, id);
    const { given, used } = idCounts();
    if (given > 2 * used + SPARE_IDS) renumber();
  }

  /** Gives all documents new ids in a new database, so that those of removed tools are free. */
  function renumber(): void {
    database = createDatabase();
    for (const segment of ranking.segments.values()) {
      for (const [tool, id] of segment.ids.entries()) {
        put({ id, server: segment.server }, {
          place: (internalId) => segment.documents[tool] = internalId,
          add: () => {},
        });
      }
    }
  }

  function idCounts() {
    const given = database.internalDocumentIDStore.internalIdToId.length;
    let used = 0;
    for (const ids of idsByServer.values()) used += ids.length;
    return { given, used };
  }

  return {
    segments: ranking.segments,
    async replace(server, tools, states) {
      const builder = createSegmentBuilder(server);
      for (const tool of tools) {
        await giveWay();
        put(toOramaDocument(tool, states), {
          place: (internalId) => builder.open(internalId, tool.id, tool, tool.http?.method ?? null),
          add: builder.add,
        });
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
      hand.asked = { view, limit };
      try {
        const found = search(database, {
          term: query,
          limit,
          // Without it Orama orders equal scores by when the tools came in.
          sortBy: ([, scoreA, a]: Entry, [, scoreB, b]: Entry) =>
            compareScored({ score: scoreA, id: a.id }, { score: scoreB, id: b.id }),
        });
        if (found instanceof Promise) throw new TypeError("Orama became asynchronous");
        const byId = new Map(hand.answer.documents.map((document) => [document.id, document]));
        const documents = found.hits.flatMap(({ id }): RankedDocument[] => {
          const document = byId.get(id);
          return document === undefined ? [] : [document];
        });
        return { ...hand.answer, documents };
      } finally {
        hand.asked = null;
        hand.answer = NOTHING;
      }
    },
    idCounts,
  };
}

type OramaDocument = { readonly id: string; readonly server: string };
type Entry = [number, number, { readonly id: string }];

function toOramaDocument(tool: Tool, states: CatalogSnapshot["servers"]) {
  const { server, ...texts } = toDocument(tool, states.get(tool.server));
  return { id: tool.id, ...texts, server: tool.server, serverTitle: server };
}

/** Orama's index with our ranking in the place of its own. */
function createIndexComponent(
  rank: (query: string, view: View, limit: number) => RankResult,
  hand: Hand,
) {
  return {
    ...components.index,
    insert(
      _implementation: unknown,
      _index: unknown,
      property: string,
      _id: string | number,
      internalId: number,
      value: unknown,
    ): void {
      if (hand.inserting === null) throw new TypeError("Tools are put in by `replace`");
      const { place, add } = hand.inserting;
      if (property === "server") place(internalId);
      else if (typeof value === "string") {
        add(property === "serverTitle" ? "server" : property, value);
      }
    },
    // A server's postings are replaced as a whole; there is nothing to take out of them.
    remove: () => true,
    search(_index: unknown, term: string): [number, number][] {
      if (hand.asked === null) return [];
      hand.answer = rank(term, hand.asked.view, hand.asked.limit);
      return hand.answer.documents.map(({ segment, tool, score }) => [
        segment.documents[tool] ?? 0,
        score,
      ]);
    },
  };
}

/** Keeps of each document only what a search needs; the tool itself is in the catalog. */
function createDocumentsComponent() {
  const { create, get, getAll, getMultiple, remove, count, load, save } = components.documentsStore;
  return {
    create,
    get,
    getAll,
    getMultiple,
    remove,
    count,
    load,
    save,
    store(
      store: components.documentsStore.DocumentsStore,
      id: string,
      internalId: number,
      document: { readonly [property: string]: unknown },
    ): boolean {
      if (store.docs[internalId] === undefined) store.count++;
      store.docs[internalId] = { id, server: document.server };
      return true;
    },
  };
}
