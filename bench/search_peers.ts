import { create, insert, search } from "@orama/orama";
import MiniSearch from "minisearch";
import { DatabaseSync } from "node:sqlite";
import type { CatalogSnapshot } from "../src/model/catalog.ts";
import { analyze } from "../src/search/analyze.ts";
import { toDocument, type ToolDocument } from "../src/search/tool_document.ts";
import { createToolStore } from "../src/search/tool_store.ts";
import { createViews } from "../src/search/views.ts";

/** A search engine over a catalog: the ids of the first tools, best first. */
export interface Engine {
  readonly rank: (query: string) => string[];
  readonly close: () => void;
}

export type EngineName = "toolgate" | "minisearch" | "fts5" | "fts5 plain" | "orama plain";

interface EngineDocument extends ToolDocument {
  readonly id: string;
  readonly description: string;
}

/** Field weights for the other engines: the best of a few tried by hand on the same queries. */
const BOOSTS: ReadonlyMap<keyof ToolDocument | "description", number> = new Map([
  ["name", 3],
  ["title", 2],
  ["description", 1],
  ["parameters", 0.5],
  ["parameterDocs", 0.3],
  ["values", 0.2],
  ["results", 0.2],
  ["tags", 1],
  ["server", 1],
  ["path", 1],
  ["serverDescription", 0.2],
]);

export async function createEngine(name: EngineName, snapshot: CatalogSnapshot): Promise<Engine> {
  if (name === "toolgate") return await createOwn(snapshot);
  const documents = [...snapshot.tools.values()].map((tool): EngineDocument => ({
    ...toDocument(tool, snapshot.servers.get(tool.server)),
    id: tool.id,
    description: tool.description,
  }));
  switch (name) {
    case "minisearch":
      return createMiniSearch(documents);
    case "fts5":
      return createFts5(documents);
    case "fts5 plain":
      return createPlainFts5(documents);
    case "orama plain":
      return createPlainOrama(documents);
  }
}

async function createOwn(snapshot: CatalogSnapshot): Promise<Engine> {
  const store = createToolStore();
  for (const [server, tools] of Map.groupBy(snapshot.tools.values(), (tool) => tool.server)) {
    await store.replace(server, tools, snapshot.servers);
  }
  const view = createViews().of(
    store.segments.values(),
    snapshot.tools,
    () => ({ access: "read", effect: "allow" }),
  );
  return {
    rank: (query) => store.search(query, view, 10).documents.map(({ id }) => id),
    close: () => {},
  };
}

/** MiniSearch with our analyser and boosts. */
function createMiniSearch(documents: readonly EngineDocument[]): Engine {
  const fields = [...BOOSTS.keys()];
  const index = new MiniSearch<EngineDocument>({
    fields,
    tokenize: analyze,
    processTerm: (term) => term,
  });
  index.addAll(documents);
  const boost = Object.fromEntries(BOOSTS);
  return {
    rank: (query) => index.search(query, { boost }).slice(0, 10).map(({ id }) => id),
    close: () => {},
  };
}

/** FTS5 with our analyser and column weights. */
function createFts5(documents: readonly EngineDocument[]): Engine {
  const database = new DatabaseSync(":memory:");
  const columns = [...BOOSTS.keys()];
  database.exec(
    `create virtual table tools using fts5(id unindexed, ${
      columns.map((column) => `c_${column}`).join(", ")
    }, tokenize = "unicode61")`,
  );
  const add = database.prepare(`insert into tools values (?${", ?".repeat(columns.length)})`);
  for (const document of documents) {
    add.run(document.id, ...columns.map((column) => analyze(document[column]).join(" ")));
  }
  const find = database.prepare(
    `select id from tools where tools match ? order by bm25(tools, 0, ${
      [...BOOSTS.values()].join(", ")
    }) limit 10`,
  );
  return {
    rank: (query) => matchAny(find, analyze(query)),
    close: () => database.close(),
  };
}

/** FTS5 as in a first attempt: two columns, its own tokenizer. */
function createPlainFts5(documents: readonly EngineDocument[]): Engine {
  const database = new DatabaseSync(":memory:");
  database.exec(
    `create virtual table tools using fts5(id unindexed, name, description, tokenize = "porter unicode61")`,
  );
  const add = database.prepare("insert into tools values (?, ?, ?)");
  for (const document of documents) add.run(document.id, document.name, document.description);
  const find = database.prepare(
    "select id from tools where tools match ? order by rank limit 10",
  );
  return {
    rank: (query) => matchAny(find, query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []),
    close: () => database.close(),
  };
}

function matchAny(
  find: { all(match: string): Record<string, unknown>[] },
  terms: readonly string[],
): string[] {
  const match = [...new Set(terms)].map((term) => `"${term}"`).join(" OR ");
  return match === "" ? [] : find.all(match).map((row) => String(row.id));
}

/** Orama as in its documentation. */
function createPlainOrama(documents: readonly EngineDocument[]): Engine {
  const database = create({ schema: { name: "string", description: "string" } as const });
  for (const { id, name, description } of documents) insert(database, { id, name, description });
  return {
    rank(query) {
      const found = search(database, { term: query, limit: 10 });
      return found instanceof Promise ? [] : found.hits.map(({ id }) => id);
    },
    close: () => {},
  };
}
