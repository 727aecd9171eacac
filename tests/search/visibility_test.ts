/** A hidden tool changes nothing: no hit, no score, no total, no suggestion, no correction. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { SearchRequest } from "../../src/model/search.ts";
import type { Tool } from "../../src/model/tool.ts";
import { createSearchIndex } from "../../src/search/search_index.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { ALL, indexOf, SEARCH_CONFIG, snapshotOfTools, TOOLS } from "./search_fixture.ts";

/** Few words, so that hidden and visible tools share some, and others are one letter apart. */
const word = fc.constantFrom(
  ...("record records recorder report get list create delete dns zone zones file files filed send " +
    "mail maul mall issue tissue repo deport invoice invoices order border orders cache cash")
    .split(" "),
);
const server = fc.constantFrom("alpha", "beta", "gamma");

const tools = fc.uniqueArray(
  fc.record({
    server,
    name: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join("_")),
    description: fc.array(word, { maxLength: 6 }).map((words) => words.join(" ")),
    title: fc.oneof(fc.constant(""), word),
  }),
  { minLength: 1, maxLength: 25, selector: ({ server, name }) => `${server}.${name}` },
).map((list) => list.map(({ server, name, ...more }) => toolOf(server, name, more)));

const typo = fc.tuple(word, fc.nat(5)).map(([text, at]) =>
  text.slice(0, at % text.length) + text.slice((at % text.length) + 1)
);
const query = fc.oneof(
  fc.constant(""),
  fc.array(fc.oneof(word, typo), { minLength: 1, maxLength: 6 }).map((words) => words.join(" ")),
  fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join("_")),
  fc.array(fc.array(word, { minLength: 3, maxLength: 5 }), { minLength: 2, maxLength: 3 })
    .map((clauses) => clauses.map((words) => words.join(" ")).join(". ")),
);
const request: fc.Arbitrary<SearchRequest> = fc.record({
  query,
  detail: fc.constantFrom("names" as const, "signatures" as const, "full" as const),
  limit: fc.integer({ min: 1, max: 8 }),
  server: fc.option(server, { nil: undefined }),
  names: fc.option(
    fc.array(fc.tuple(server, word).map((parts) => parts.join(".")), { maxLength: 3 }),
    { nil: undefined },
  ),
}).map(({ server, names, ...rest }) => ({
  ...rest,
  ...(server === undefined ? {} : { server }),
  ...(names === undefined ? {} : { names }),
}));

Deno.test("an answer is the same whether a tool is hidden or does not exist", async () => {
  const scenario = fc.tuple(tools, fc.array(fc.boolean(), { maxLength: 25 }), request);
  await fc.assert(
    fc.asyncProperty(scenario, async ([list, flags, asked]) => {
      const hidden = new Set(list.filter((_, index) => flags[index]).map(({ id }) => id));
      const visible = (tool: Tool) => hidden.has(tool.id) ? null : ALL(tool);
      const rest = list.filter(({ id }) => !hidden.has(id));
      const seen = await indexOf(list).search(asked, visible);
      const plain = await indexOf(rest).search(asked, ALL);
      deepStrictEqual(seen, plain);
    }),
    { numRuns: 400 },
  );
});

Deno.test("an inline list is the same whether a tool is hidden or does not exist", () => {
  fc.assert(fc.property(tools, fc.integer({ min: 50, max: 800 }), (list, tokensMax) => {
    const rest = list.filter((_, index) => index % 2 === 0);
    const visible = (tool: Tool) => rest.includes(tool) ? ALL(tool) : null;
    deepStrictEqual(
      indexOf(list).inline(visible, tokensMax),
      indexOf(rest).inline(ALL, tokensMax),
    );
  }));
});

Deno.test("the exact name of a hidden tool finds nothing and suggests nothing of it", async () => {
  const visible = (tool: Tool) => tool.server === "pay" ? null : ALL(tool);
  for (
    const asked of [{ query: "pay.refund" }, { query: "", names: ["pay.refund", "pay.refunt"] }]
  ) {
    const answer = await indexOf(TOOLS).search(asked, visible);
    strictEqual(/pay\.(?!refun[dt]")/.test(answer.declarations), false, answer.declarations);
    strictEqual(answer.hits.some((hit) => hit.server === "pay"), false);
  }
});

Deno.test("a tool that is hidden later is gone from the next search", async () => {
  let isHidden = false;
  const index = indexOf(TOOLS);
  const before = await index.search({ query: "refund" }, ALL);
  strictEqual(before.hits[0]?.name, "pay.refund");
  isHidden = true;
  const after = await index.search(
    { query: "refund" },
    (tool) => isHidden && tool.server === "pay" ? null : ALL(tool),
  );
  deepStrictEqual(after.hits, []);
});

Deno.test("a tool that left the catalog is not found, also before the index knows", async () => {
  let snapshot = snapshotOfTools(TOOLS);
  const index = createSearchIndex({ snapshot: () => snapshot, config: SEARCH_CONFIG });
  await index.search({ query: "refund" }, ALL);
  const searching = index.search({ query: "refund" }, ALL);
  snapshot = snapshotOfTools(TOOLS.filter((tool) => tool.server !== "pay"), 2);
  deepStrictEqual((await searching).hits, []);
});

Deno.test("an answer without a hit says that servers have not answered yet", async () => {
  const down = {
    server: "mail",
    serverIdentifier: "mail",
    title: "Mail",
    status: "down" as const,
    error: "refused",
    toolCount: 0,
    listedAt: null,
  };
  const snapshot = { ...snapshotOfTools(TOOLS), servers: new Map([["mail", down]]) };
  const index = createSearchIndex({ snapshot: () => snapshot, config: SEARCH_CONFIG });
  const note = "// 1 server has not answered yet; what tools are there is not known";
  for (const asked of [{ query: "xyzzyx" }, { query: "", names: ["post.send"] }]) {
    const { declarations } = await index.search(asked, ALL);
    strictEqual(declarations.includes(note), true, declarations);
  }
  const found = await index.search({ query: "", names: [TOOLS[0]?.id ?? ""] }, ALL);
  strictEqual(found.declarations.includes(note), false);
});
