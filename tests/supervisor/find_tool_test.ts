import { deepStrictEqual, match } from "node:assert/strict";
import { toolNotFound } from "../../src/supervisor/find_tool.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { snapshotOfTools } from "../search/search_fixture.ts";

const SEEN = toolOf("shop", "list_orderz");
/** Nearer than what may be seen, and many. */
const HIDDEN = Array.from({ length: 60 }, (_, index) => toolOf("shop", `list_orders${index}`));

Deno.test("toolNotFound() suggests the same whether nearer tools are hidden or do not exist", () => {
  for (const server of ["shop", "shpo"]) {
    const spelling = { server, tool: "list_orders" };
    const isVisible = (tool: { readonly name: string }) => tool.name === SEEN.name;
    const among = toolNotFound(snapshotOfTools([...HIDDEN, SEEN]), spelling, isVisible);
    const alone = toolNotFound(snapshotOfTools([SEEN]), spelling, () => true);
    deepStrictEqual([among.message, among.hint], [alone.message, alone.hint]);
    match(among.hint, /Did you mean shop\.list_orderz\?/);
  }
});
