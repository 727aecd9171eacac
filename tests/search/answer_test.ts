import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { createSearchIndex } from "../../src/search/search_index.ts";
import { countTokens } from "../../src/usage/tokens.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { diagnose } from "../catalog/type_check.ts";
import type { Tool } from "../../src/model/tool.ts";
import { ALL, indexOf, SEARCH_CONFIG, snapshotOfTools, TOOLS } from "./search_fixture.ts";

const INDEX = indexOf(TOOLS);

/** Many tools about the same thing. */
const MANY = Array.from(
  { length: 60 },
  (_, index) =>
    toolOf("shop", `list_orders_${index}`, {
      description: `Lists the orders of region ${index}. And more.`,
      properties: { since: { type: "string" }, limit: { type: "number" } },
    }),
);

Deno.test("by default an answer has 5 signatures, 15 names and the number of the rest", async () => {
  const answer = await indexOf(MANY).search({ query: "list orders" }, ALL);
  strictEqual(answer.hits.length, 20);
  strictEqual(answer.hits.filter((hit) => hit.signature !== undefined).length, 5);
  strictEqual(answer.total, 60);
  strictEqual(answer.truncated, true);
  match(answer.declarations, /^declare const tools: \{\n {2}shop: \{\n/);
  match(answer.declarations, /\/\/ 40 more; narrow with server or words$/);
  deepStrictEqual(diagnose(answer.declarations), []);
});

Deno.test("an answer stays under its cap of tokens", async () => {
  const wide = Array.from({ length: 40 }, (_, index) =>
    toolOf("wide", `order_${index}`, {
      description: "Orders. ".repeat(100),
      properties: Object.fromEntries(
        Array.from({ length: 80 }, (_, n) => [`property_number_${n}`, { type: "string" }]),
      ),
    }));
  for (const tokensMax of [200, 500, 1_500]) {
    for (const detail of ["names", "signatures", "full"] as const) {
      const index = indexOf([...wide, ...MANY], { tokensMax });
      const answer = await index.search({ query: "order", detail }, ALL);
      const tokens = await countTokens(answer.declarations);
      // The first tool is always declared, however little there is.
      ok(tokens <= Math.max(tokensMax, 300), `${detail}: ${tokens} of ${tokensMax}`);
      ok(answer.hits.length > 0);
    }
  }
});

Deno.test("the cap holds for many servers, too, and while browsing them", async () => {
  const servers = Array.from(
    { length: 60 },
    (_, server) =>
      ["list", "create"].map((verb) =>
        toolOf(`server_${server}`, `${verb}_orders`, {
          description: `${verb}s orders, 查询订单列表并返回结果, of region ${server}.`,
          properties: { since: { type: "string" }, limit: { type: "number" } },
        })
      ),
  ).flat();
  const index = indexOf(servers);
  const visible = () => ({ access: "write", effect: "ask" }) as const;
  for (const query of ["list orders", ""]) {
    const answer = await index.search({ query, limit: 50 }, visible);
    ok(answer.hits.length > 10, `${answer.hits.length} hits`);
    const tokens = await countTokens(answer.declarations);
    ok(tokens <= SEARCH_CONFIG.tokensMax, `${tokens} for "${query}"`);
  }
});

Deno.test("detail: names has no signatures, and full has every argument's description", async () => {
  const names = await INDEX.search({ query: "dns record", detail: "names" }, ALL);
  strictEqual(names.hits.some((hit) => hit.signature !== undefined), false);
  match(names.declarations, /^\/\/ dns\.create_dns_record: Adds a record to a zone\.$/m);
  const tool = toolOf("a", "b", {
    properties: { id: { type: "string", description: "Which one" } },
  });
  const full = await indexOf([tool]).search({ query: "b", detail: "full" }, ALL);
  match(full.declarations, /\/\*\* Which one \*\/ id: string;/);
});

Deno.test("names returns the full docs of exactly those, in their order", async () => {
  const request = { query: "", names: ["pay.refund", "files.read_text_file", "dns.purge-cache"] };
  const answer = await INDEX.search(request, ALL);
  deepStrictEqual(answer.hits.map((hit) => hit.name), [
    "pay.refund",
    "files.read_text_file",
    "dns.purge_cache",
  ]);
  strictEqual(answer.total, 3);
  strictEqual(answer.truncated, false);
  deepStrictEqual(diagnose(answer.declarations), []);
});

Deno.test("names says which do not exist and what is near", async () => {
  const answer = await INDEX.search({ query: "", names: ["pay.refnd", "mail.send"] }, ALL);
  deepStrictEqual(answer.hits.map((hit) => hit.name), ["mail.send"]);
  match(answer.declarations, /^\/\/ Do not exist: "pay\.refnd"; near: pay\.refund/m);
});

Deno.test("names takes the spelling of a program", async () => {
  const names = ["tools.pay.refund", "mail.send({ to: 'x' })", "tools.dns.create_dns_record()"];
  const answer = await INDEX.search({ query: "", names }, ALL);
  deepStrictEqual(answer.hits.map((hit) => hit.name), [
    "pay.refund",
    "mail.send",
    "dns.create_dns_record",
  ]);
});

Deno.test("names that all do not exist say nothing about other tools", async () => {
  const answer = await INDEX.search({ query: "", names: ["__proto__", "qqqqqqqqq"] }, ALL);
  strictEqual(answer.declarations, '// Do not exist: "__proto__", "qqqqqqqqq"');
});

Deno.test("empty names and an empty server ask for nothing", async () => {
  const plain = await INDEX.search({ query: "dns record" }, ALL);
  const filled = await INDEX.search({ query: "dns record", names: [], server: "" }, ALL);
  deepStrictEqual(filled, plain);
});

Deno.test("a server that does not exist is said to, with those that do", async () => {
  const answer = await INDEX.search({ query: "record", server: "dsn" }, ALL);
  deepStrictEqual([answer.hits, answer.total], [[], 0]);
  match(answer.declarations, /^\/\/ There is no server "dsn"\n/);
  match(answer.declarations, /^\/\/ {3}dns: 4 tools$/m);
  match(answer.declarations, /^\/\/ Near: dns$/m);
  const visible = (tool: Tool) => tool.server === "pay" ? ALL(tool) : null;
  const hidden = await INDEX.search({ query: "record", server: "dns" }, visible);
  match(hidden.declarations, /^\/\/ There is no server "dns"\n/);
  doesNotMatch(hidden.declarations, /dns:|Near/);
});

Deno.test("an empty query shows the servers, and with a server its tools", async () => {
  const servers = await INDEX.search({ query: "" }, ALL);
  match(servers.declarations, /^\/\/ {3}dns: 4 tools$/m);
  match(servers.declarations, /^\/\/ {3}kube: 1 tool$/m);
  strictEqual(servers.total, TOOLS.length);
  strictEqual(new Set(servers.hits.slice(0, 9).map((hit) => hit.server)).size, 9);
  const dns = await INDEX.search({ query: "", server: "dns" }, ALL);
  strictEqual(dns.total, 4);
  strictEqual(dns.hits.every((hit) => hit.server === "dns"), true);
});

Deno.test("without a hit an answer shows where to look", async () => {
  const answer = await INDEX.search({ query: "qqqqqqqq" }, ALL);
  deepStrictEqual([answer.hits, answer.total, answer.truncated], [[], 0, false]);
  match(answer.declarations, /^\/\/ No tool matches "qqqqqqqq"$/m);
  match(answer.declarations, /^\/\/ {3}files: 4 tools$/m);
  for (const query of ["disk", ""]) {
    const elsewhere = await INDEX.search({ query, server: "dnss" }, ALL);
    match(elsewhere.declarations, /^\/\/ There is no server "dnss"$/m);
    match(elsewhere.declarations, /^\/\/ {3}dns: 4 tools$/m);
  }
  const none = await INDEX.search({ query: "anything" }, () => null);
  strictEqual(none.declarations, "// There are no tools that you may use");
});

Deno.test("a query cannot break out of the comment it is repeated in", async () => {
  const answer = await INDEX.search({ query: "qqqq\n*/ evil ```\u202e" }, ALL);
  doesNotMatch(answer.declarations, /```|\u202e|^(?!\/\/)/m);
});

Deno.test("a write and one that asks are marked, a read is not", async () => {
  const index = indexOf([toolOf("a", "wipe_disk"), toolOf("a", "read_disk")]);
  const { declarations } = await index.search(
    { query: "disk" },
    (tool) =>
      tool.name.startsWith("read")
        ? { access: "read", effect: "allow" }
        : { access: "destructive", effect: "ask" },
  );
  match(declarations, /\/\*\* \(destructive, asks for approval\) Does wipe_disk\. \*\//);
  match(declarations, /\/\*\* Does read_disk\. \*\//);
});

Deno.test("a limit that is asked for bounds the hits, without one names follow", async () => {
  const answer = await indexOf(MANY).search({ query: "orders", limit: 2 }, ALL);
  strictEqual(answer.hits.filter((hit) => hit.signature !== undefined).length, 2);
  strictEqual(answer.hits.length, 2);
  strictEqual(answer.truncated, true);
  strictEqual((await indexOf(MANY).search({ query: "orders" }, ALL)).hits.length, 20);
  const names = await indexOf(MANY).search({ query: "orders", limit: 50, detail: "names" }, ALL);
  strictEqual(names.hits.length, 50);
});

Deno.test("quarantined tools are named to operators only", async () => {
  const snapshot = {
    ...snapshotOfTools(TOOLS),
    quarantined: [{
      server: "pay",
      name: "refund_all",
      reason: "drift" as const,
      detail: "Its definition changed",
    }],
  };
  const index = createSearchIndex({ snapshot: () => snapshot, config: SEARCH_CONFIG });
  const told = await index.search({ query: "refund" }, ALL, { showsQuarantined: true });
  match(told.declarations, /^\/\/ {3}pay "refund_all": drift; Its definition changed$/m);
  const untold = await index.search({ query: "refund" }, ALL);
  doesNotMatch(untold.declarations, /refund_all/);
});

Deno.test("inline() declares a small catalog whole", () => {
  const inline = INDEX.inline(ALL, 2_000);
  match(inline.text, /^\/\/ COMPLETE list of the 21 tools:\n/);
  deepStrictEqual([inline.complete, inline.shown, inline.total], [true, 21, 21]);
  deepStrictEqual(diagnose(inline.text), []);
});

Deno.test("inline() marks what writes and what asks, as a search does", () => {
  const visible = () => ({ access: "write", effect: "ask" }) as const;
  match(INDEX.inline(visible, 3_000).text, /\(write, asks for approval\) Sends an e-mail\./);
});

Deno.test("inline() takes servers in turn when not all fit", () => {
  const inline = INDEX.inline(ALL, 420);
  match(inline.text, /^\/\/ PARTIAL list, \d+ of 21 tools; find the others with search:\n/);
  for (const server of new Set(TOOLS.map((tool) => tool.serverIdentifier))) {
    match(inline.text, new RegExp(`^ {2}${server}: \\{$`, "m"));
  }
});

Deno.test("inline() says nothing of a catalog of which little would fit", () => {
  deepStrictEqual(indexOf(MANY).inline(ALL, 400), {
    text: "",
    complete: false,
    shown: 0,
    total: 60,
  });
  deepStrictEqual(INDEX.inline(() => null, 2_000).total, 0);
});

Deno.test("the index follows the catalog: added, changed and removed tools, and new aliases", async () => {
  let snapshot = snapshotOfTools(TOOLS);
  const index = createSearchIndex({ snapshot: () => snapshot, config: SEARCH_CONFIG });
  const find = async (query: string) => (await index.search({ query }, ALL)).hits[0]?.name;
  strictEqual(await find("teleport"), undefined);
  const added = toolOf("pay", "teleport", { description: "Moves matter." });
  snapshot = snapshotOfTools([...TOOLS, added], 2);
  strictEqual(await find("teleport"), "pay.teleport");
  const changed = { ...added, pin: "other", description: "Moves antimatter." };
  snapshot = snapshotOfTools([...TOOLS, changed], 3);
  strictEqual(await find("antimatter"), "pay.teleport");
  snapshot = snapshotOfTools([...TOOLS, { ...changed, aliases: ["beaming"] }], 4);
  strictEqual(await find("beaming"), "pay.teleport");
  snapshot = snapshotOfTools(TOOLS, 5);
  strictEqual(await find("antimatter"), undefined);
});
