/**
 * toolgate between the protocol's own conformance suite and itself: as a server in code mode, as a
 * server that hands one upstream on, and as the client of upstreams.
 *
 * What is expected of each scenario stands in `expected.ts`: worse fails, and so does better.
 */
import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";
import { CLIENT_SCENARIOS, CODE_SPACE, type Expected, PASS_SPACE } from "./expected.ts";
import { startFixtureUpstream } from "./fixture_upstream.ts";
import { type ScenarioResult, withSuite } from "./suite.ts";

const POLICY = `
version: 1
name: conformance
tools: { fixture: { read: ["*"] } }
spaces: { fixture: { tools: [fixture.*] } }
rules: [{ id: all, allow: read }]
`;
const CLIENT = [
  "deno run --cached-only --no-prompt -A",
  new URL("../fakes/conformance_client.ts", import.meta.url).pathname,
].join(" ");

Deno.test("the conformance suite finds what is expected, no less and no more", async (t) => {
  await using upstream = startFixtureUpstream();
  const config = {
    policy: POLICY,
    mcpServers: { fixture: { url: upstream.url } },
    spaces: { fixture: { mode: "pass", upstream: "fixture" } },
  };
  await withSuite(async (suite) => {
    await withApp(config, async ({ app }) => {
      const { url } = await app.listen();
      for (const [revision, expected] of Object.entries(CODE_SPACE)) {
        await t.step(`server, ${revision}, code mode`, async () => {
          const results = await suite.runServer(`${url}/mcp`, revision);
          const applying = [...results].filter(([scenario]) => Object.hasOwn(expected, scenario));
          compare(new Map(applying), expected);
        });
      }
      for (const [revision, expected] of Object.entries(PASS_SPACE)) {
        await t.step(`server, ${revision}, one upstream handed on`, async () => {
          compare(await suite.runServer(`${url}/s/fixture/mcp`, revision), expected);
        });
      }
    });
    for (const scenario of CLIENT_SCENARIOS) {
      await t.step(`client, ${scenario}`, async () => {
        const { failed, passed } = await suite.runClient(CLIENT, scenario);
        assert.deepEqual(failed, []);
        assert.ok(passed > 0, "something was checked");
      });
    }
  });
});

function compare(results: ReadonlyMap<string, ScenarioResult>, expected: Expected): void {
  const found = [...results].map(([scenario, { failed, passed }]) => [
    scenario,
    failed.length === 0 && passed === 0 ? "unchecked" : failed.length === 0 ? "pass" : [...failed],
  ]);
  assert.deepEqual(
    Object.fromEntries(found.toSorted()),
    Object.fromEntries(Object.entries(expected).toSorted()),
  );
}
