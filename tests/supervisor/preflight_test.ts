import { deepStrictEqual, doesNotMatch, match } from "node:assert/strict";
import { declareTools } from "../../src/catalog/declare.ts";
import type { Tool } from "../../src/model/tool.ts";
import { mentionedTools } from "../../src/sandbox/checker_mentions.ts";
import { createCheckService } from "../../src/sandbox/checker_service.ts";
import { createPreflight } from "../../src/supervisor/preflight.ts";
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
    declareTools,
    check(program, declarations) {
      seen.push(declarations);
      const findings = service.check(program, declarations);
      return Promise.resolve({ status: "checked", reason: null, findings, ms: 0 });
    },
  });
  const { findings } = await preflight.check(ANNA, "default", code, code);
  return { messages: findings.map(({ message }) => message), declarations: seen.join() };
}

Deno.test("an unknown tool of a large server gets the nearest name, not the first ones", async () => {
  const { messages } = await check("return await tools.cloud.zone_list({});", LARGE);
  match(messages[0] ?? "", /no tool "cloud\.zone_list"; did you mean "cloud\.zone_lists?/);
});

Deno.test("a hidden tool is no suggestion and takes the place of none", async () => {
  const hidden = ["zone_lists", "zone_lost"];
  const code = "return await tools.cloud.zone_list({});";
  const { messages, declarations } = await check(code, LARGE, hidden);
  doesNotMatch(declarations, /zone_l/);
  const without = LARGE.filter(({ name }) => !hidden.includes(name));
  deepStrictEqual({ messages, declarations }, await check(code, without));
  match(messages[0] ?? "", /did you mean "cloud\.zones_list"/);
});

Deno.test("an unknown server gets the tools whose whole name is near", async () => {
  const { declarations } = await check("return await tools.clod.zones_list({});", LARGE);
  match(declarations, /zones_list\(/);
});
