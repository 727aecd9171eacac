/** What Orama would do by itself, and must not do here. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createToolStore } from "../../src/search/tool_store.ts";
import { createViews } from "../../src/search/views.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { find, indexOf } from "./search_fixture.ts";
import type { Tool } from "../../src/model/tool.ts";

Deno.test("names in snake and camel case are found by one of their words", async () => {
  const index = indexOf([toolOf("a", "create_dns_record"), toolOf("b", "createDnsRecord")]);
  deepStrictEqual((await find(index, "dns")).sort(), ["a.create_dns_record", "b.createDnsRecord"]);
});

Deno.test("Chinese text is found", async () => {
  const index = indexOf([toolOf("a", "weather", { description: "获取天气预报" })]);
  deepStrictEqual(await find(index, "天气"), ["a.weather"]);
});

Deno.test("a query word is not completed to rare words that begin with it", async () => {
  const tools = Array.from({ length: 30 }, (_, n) => toolOf("s", `list_items_${n}`));
  const agents = toolOf("s", "listing_agents_directory", { description: "Itemset of agents." });
  const names = await find(indexOf([...tools, agents]), "list items");
  strictEqual(names.includes(agents.id), false);
});

Deno.test("a whole query may have letters in any case", async () => {
  const index = indexOf([toolOf("a", "x", { description: "Create DNS record" })]);
  deepStrictEqual(await find(index, "cReATE dns RECORD"), ["a.x"]);
});

Deno.test("every tag of a tool is found, not the last alone", async () => {
  const index = indexOf([toolOf("a", "x", { tags: ["alpha", "beta", "gamma"] })]);
  for (const tag of ["alpha", "beta", "gamma"]) deepStrictEqual(await find(index, tag), ["a.x"]);
});

Deno.test("an unknown word does not empty the result", async () => {
  const index = indexOf([toolOf("a", "dns_record")]);
  deepStrictEqual(await find(index, "the dns record of zzzzzz"), ["a.dns_record"]);
});

Deno.test("a word that every tool has costs time in proportion to their number", async () => {
  const timeOf = async (count: number) => {
    const tools = Array.from({ length: count }, (_, n) => toolOf("s", `get_item_${n % 100}_${n}`));
    const store = createToolStore();
    await store.replace("s", tools, new Map());
    const view = createViews().of(
      store.segments.values(),
      new Map(tools.map((tool) => [tool.id, tool])),
      () => ({ access: "read", effect: "allow" }),
    );
    const times = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      strictEqual(store.search("get", view, 5).total, count);
      return performance.now() - startedAt;
    });
    return times.sort((a, b) => a - b)[4] ?? 0;
  };
  const [few, many] = [await timeOf(2_000), await timeOf(16_000)];
  // Eight times the tools; a quadratic search would take 64 times as long.
  ok(many < Math.max(few, 0.5) * 32, `${few} ms, then ${many} ms`);
});

Deno.test("searching leaves nothing behind, whatever the words are", async () => {
  const store = createToolStore();
  const tools = [toolOf("s", "one"), toolOf("s", "two")];
  await store.replace("s", tools, new Map());
  const view = createViews().of(
    store.segments.values(),
    new Map(tools.map((tool) => [tool.id, tool])),
    () => ({ access: "read", effect: "allow" }),
  );
  for (let round = 0; round < 500; round++) store.search(`word${round} ${round} one`, view, 5);
  deepStrictEqual(store.idCounts(), { given: 2, used: 2 });
});

Deno.test("replacing a server's tools again and again gives out no new ids", async () => {
  const store = createToolStore();
  const listing = (text: string): Tool[] =>
    ["one", "two", "three"].map((name) => toolOf("s", name, { description: text }));
  for (let round = 0; round < 20; round++) {
    await store.replace("s", listing(`round ${round}`), new Map());
  }
  deepStrictEqual(store.idCounts(), { given: 3, used: 3 });
  store.drop("s");
  strictEqual(store.idCounts().used, 0);
});

Deno.test("ids of tools that are gone are used again, and searches go on", async () => {
  const store = createToolStore();
  const kept = [toolOf("kept", "alpha"), toolOf("kept", "beta")];
  await store.replace("kept", kept, new Map());
  for (let round = 0; round < 30; round++) {
    const names = Array.from({ length: 200 }, (_, index) => `tool_${round}_${index}`);
    await store.replace("s", names.map((name) => toolOf("s", name)), new Map());
  }
  const { given, used } = store.idCounts();
  strictEqual(used, 202);
  ok(given < 2_000, `${given} ids`);
  const view = createViews().of(
    store.segments.values(),
    new Map(kept.map((tool) => [tool.id, tool])),
    () => ({ access: "read", effect: "allow" }),
  );
  deepStrictEqual(store.search("beta", view, 5).documents.map(({ id }) => id), ["kept.beta"]);
});

Deno.test("a caller with no tools gets none", async () => {
  const index = indexOf([toolOf("a", "dns_record")]);
  deepStrictEqual(await find(index, "dns", () => null), []);
});

Deno.test("equal scores are in the order of names, not of arrival", async () => {
  const same = (name: string) => toolOf("s", name, { description: "Pings.", title: "Ping" });
  const names = ["b", "a", "c"];
  const index = indexOf(names.map((name) => same(`${name}`)));
  deepStrictEqual(await find(index, "ping"), ["s.a", "s.b", "s.c"]);
});
