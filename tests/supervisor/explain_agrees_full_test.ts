import fc from "fast-check";
import assert from "node:assert/strict";
import { callTool } from "../../src/supervisor/call/call_tool.ts";
import { ACME_TOOLS, makePrincipal } from "../policy/sample_tools.ts";
import { callOf, contextOf, setUpGate } from "./gate_fixture.ts";

const CALLS = 10_000;

const principals = fc.record({
  groups: fc.subarray(["acme-eng", "acme-finance", "acme-finance-leads", "other"]),
  scopes: fc.subarray(["github:write", "execute"]),
  client: fc.constantFrom("agent", "ci-bot"),
});

const argumentsOf = fc.record({
  amount: fc.oneof(
    fc.integer({ min: -10, max: 6_000 }),
    fc.double({ noNaN: true }),
    fc.constant("50"),
  ),
  customer: fc.constantFrom("c1", ""),
  to: fc.array(fc.constantFrom("a@acme.com", "x@evil.com", ""), { maxLength: 3 }),
  owner: fc.constantFrom("acme", "Acme", "evil"),
  repo: fc.constant("api"),
  id: fc.string(),
}, { requiredKeys: [] });

Deno.test("policy explain agrees with what the gate did on 10,000 random calls", async () => {
  const text = await Deno.readTextFile(new URL("../../policies/acme-prod.yaml", import.meta.url));
  const { deps, policy, events } = setUpGate(text, ACME_TOOLS);
  let index = 0;
  await fc.assert(
    fc.asyncProperty(
      principals,
      fc.constantFrom(...ACME_TOOLS),
      argumentsOf,
      fc.boolean(),
      async ({ groups, scopes, client }, tool, args, tainted) => {
        const principal = makePrincipal({ claims: { groups }, scopes, client });
        const taint = { tainted, sources: new Set<string>() };
        const explained = policy.explain({
          principal,
          space: "default",
          tool,
          args,
          execution: { tainted, sources: [] },
        });
        events.length = 0;
        const outcome = await callTool(deps, contextOf(principal, { taint }), {
          ...callOf(tool.id, args),
          index: index++,
        });
        const [first] = events;
        if (!outcome.ok && outcome.error.code === "ERR_INVALID_ARGUMENTS") {
          assert.equal(first?.decision, undefined, "the rules never saw it");
          return;
        }
        const { effect, because } = explained.decision;
        if (explained.visibility === null) {
          assert.equal(first?.decision?.effect, "hidden");
          assert.ok(!outcome.ok && outcome.error.code === "ERR_TOOL_NOT_FOUND");
          return;
        }
        assert.equal(first?.decision?.effect, effect);
        assert.deepEqual(first?.decision?.because, because);
        assert.equal(outcome.ok, effect === "allow");
        const matched = explained.rules.filter((rule) => rule.matched && !rule.observe);
        assert.ok(
          because.every((id) => id === "no-allow-rule" || matched.some((rule) => rule.id === id)),
        );
      },
    ),
    { numRuns: CALLS },
  );
});
