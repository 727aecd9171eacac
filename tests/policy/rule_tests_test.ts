import assert from "node:assert/strict";
import { createAudiences } from "../../src/policy/audience.ts";
import { compileRule } from "../../src/policy/compiled_rule.ts";
import { RULE_VERDICTS } from "../../src/policy/explain.ts";
import { toRule } from "../../src/policy/file/parse_policy.ts";
import {
  AUDIENCE_TESTS,
  concernsAudience,
  concernsTool,
  firstUnmet,
  TOOL_TESTS,
  UNMET_VERDICTS,
} from "../../src/policy/rule_tests.ts";
import { makePrincipal, makeTool } from "./sample_tools.ts";

const place = { path: "a.yaml", line: 1 };
const rule = compileRule({
  ...toRule({
    id: "r",
    allow: "write",
    tools: ["pay.*"],
    for: ["finance"],
    scopes: ["pay"],
    observe: false,
  }, false),
  place,
  placeOf: () => place,
});
const audiences = createAudiences(
  new Map([["finance", { claim: "groups", has: "finance", place, placeOf: () => place }]]),
);

Deno.test("a rule tells the first thing of a tool that stands in its way", () => {
  const tool = makeTool("pay", "refund");
  assert.deepEqual(firstUnmet(TOOL_TESTS, rule, { tool, access: "read" }), [
    "class",
    "the tool is read",
  ]);
  const other = { tool: makeTool("mail", "send"), access: "write" } as const;
  assert.deepEqual(firstUnmet(TOOL_TESTS, rule, other), ["tool", "pay.*"]);
  assert.ok(!concernsTool(rule, other));
  assert.equal(firstUnmet(TOOL_TESTS, rule, { tool, access: "write" }), null);
  assert.ok(concernsTool(rule, { tool, access: "write" }));
});

Deno.test("a rule tells the first thing of a caller that stands in its way", () => {
  const of = (groups: string[], scopes: string[]) => ({
    audience: audiences.of(makePrincipal({ claims: { groups }, scopes })),
    audiences,
  });
  assert.deepEqual(firstUnmet(AUDIENCE_TESTS, rule, of([], [])), ["group", "finance"]);
  assert.deepEqual(firstUnmet(AUDIENCE_TESTS, rule, of(["finance"], ["other"])), ["scope", "pay"]);
  assert.ok(concernsAudience(rule, of(["finance"], ["pay"])));
});

Deno.test("an explanation knows the name of every test", () => {
  for (const verdict of UNMET_VERDICTS) assert.ok(RULE_VERDICTS.includes(verdict), verdict);
});
