import { deepStrictEqual, doesNotMatch, match } from "node:assert/strict";
import { declareTools } from "../../src/catalog/declare.ts";
import { looseNames, mentionedTools } from "../../src/checker/mentions.ts";
import { createCheckService } from "../../src/checker/process/checker_service.ts";
import type { Tool } from "../../src/model/tool.ts";
import { createPreflight } from "../../src/supervisor/program/preflight.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { ANNA } from "../fakes/upstream_parts.ts";
import { snapshotOfTools } from "../search/search_fixture.ts";

const LARGE = [
  ...Array.from({ length: 300 }, (_, index) => toolOf("cloud", `operation_${index}`)),
  toolOf("cloud", "zones_list"),
  toolOf("cloud", "zone_lists"),
  toolOf("cloud", "zone_lost"),
];

/** The findings for a program over tools of which some are hidden. */
async function check(code: string, tools: readonly Tool[], hidden: readonly string[] = []) {
  const service = createCheckService();
  const snapshot = snapshotOfTools(tools);
  const seen: string[] = [];
  const preflight = createPreflight({
    mode: "block",
    snapshot: () => snapshot,
    policy: () => ({
      visibility: (_principal, _space, tool) =>
        hidden.includes(tool.name) ? null : { access: "read", effect: "allow" },
    }),
    mentionedTools,
    looseNames,
    declareTools,
    check(program, declarations, declaredOnly) {
      seen.push(declarations);
      const findings = service.check(program, declarations, declaredOnly);
      return Promise.resolve({ status: "checked", reason: null, findings, ms: 0 });
    },
  });
  const { findings, advice, unchecked } = await preflight.check(ANNA, "default", code, code);
  return {
    unchecked,
    messages: findings.map(({ message }) => message),
    advice: advice.map(({ message }) => message),
    declarations: seen.join(),
  };
}

/** Tools whose types are known from results alone. */
const SEEN = [
  toolOf("files", "read", {
    properties: { path: { type: "string" } },
    observed: { results: 5, schema: { type: "string" } },
  }),
  toolOf("db", "query", {
    observed: {
      results: 5,
      schema: {
        type: "array",
        items: { type: "object", properties: { customer: { type: "string" } } },
      },
    },
  }),
];

Deno.test("what only results seen so far speak against stops no program", async () => {
  for (
    const code of [
      'return (await tools.files.read({ path: "a.json" })).version;',
      "return (await tools.db.query({})).map((row) => row.total);",
      "return (await tools.db.query({})).next;",
    ]
  ) {
    const { messages, advice } = await check(code, SEEN);
    deepStrictEqual([messages, advice.length], [[], 1], code);
  }
});

Deno.test("a misspelled field of a result seen before stops a program, and so does what is declared", async () => {
  const misspelled = "return (await tools.db.query({})).map((row) => row.custmer);";
  match((await check(misspelled, SEEN)).messages[0] ?? "", /did you mean "customer"/);
  const wrong = "return (await tools.files.read({ file: 'a' })).version;";
  const { messages, advice } = await check(wrong, SEEN);
  match(messages.join(), /"files\.read" has no parameter "file"/);
  match(advice.join(), /"version"/);
});

Deno.test("an unknown tool of a large server gets the nearest name, not the first ones", async () => {
  const { messages } = await check("return await tools.cloud.zone_list({});", LARGE);
  match(messages[0] ?? "", /no tool "cloud\.zone_list"; did you mean "cloud\.zone_lists?/);
});

Deno.test("a hidden tool is not a suggestion and takes the place of none", async () => {
  const hidden = ["zone_lists", "zone_lost"];
  const code = "return await tools.cloud.zone_list({});";
  const among = await check(code, LARGE, hidden);
  doesNotMatch(among.declarations, /zone_l/);
  const without = LARGE.filter(({ name }) => !hidden.includes(name));
  deepStrictEqual(among, await check(code, without));
  match(among.messages[0] ?? "", /did you mean "cloud\.zones_list"/);
});

Deno.test("an unknown server gets the tools whose whole name is near", async () => {
  const { declarations } = await check("return await tools.clod.zones_list({});", LARGE);
  match(declarations, /zones_list\(/);
});

Deno.test("a program that is too long to be looked through runs unchecked, and that is said", async () => {
  const { unchecked, declarations } = await check(`return [${"1,".repeat(60_000)}]`, LARGE);
  match(unchecked ?? "", /longer than 100000 characters/);
  deepStrictEqual(declarations, "");
});
