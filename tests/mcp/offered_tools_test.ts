import assert from "node:assert/strict";
import { ConfigSchema } from "../../src/config/schema.ts";
import { offeredTools } from "../../src/mcp/offered_tools.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";

const { spaces } = ConfigSchema.parse({
  spaces: { plain: { mode: "classic" }, coded: { mode: "code" } },
});

async function ask(space: string) {
  let waited = 0;
  const tools = [makeTool("pay", "get")];
  const offered = await offeredTools({
    spaces,
    ready: () => Promise.resolve(++waited),
    view: () => ({ key: "", tools, visible: () => null }),
  }, { principal: makePrincipal(), space });
  return { waited, names: [...offered.byName.keys()], codeMode: offered.codeMode };
}

Deno.test("a space in code mode offers no tools as they are, and waits for no catalog", async () => {
  const expected = { waited: 0, names: [], codeMode: true };
  assert.deepEqual(await ask("coded"), expected);
  assert.deepEqual(await ask("not configured"), expected);
  assert.deepEqual(await ask("toString"), expected);
});

Deno.test("a classic space waits for the catalog and offers its tools", async () => {
  assert.deepEqual(await ask("plain"), { waited: 1, names: ["pay__get"], codeMode: false });
});
