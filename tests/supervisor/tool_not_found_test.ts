import { deepStrictEqual, match } from "node:assert/strict";
import { toolNotFound } from "../../src/supervisor/call/tool_not_found.ts";
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

Deno.test("toolNotFound() does not say that a tool does not exist while a server has never answered", () => {
  const down = {
    server: "mail",
    serverIdentifier: "mail",
    title: "Mail",
    status: "down" as const,
    error: "refused",
    toolCount: 0,
    listedAt: null,
  };
  const snapshot = { ...snapshotOfTools([SEEN]), servers: new Map([["mail", down]]) };
  for (const server of ["mail", "other"]) {
    const { message, hint } = toolNotFound(snapshot, { server, tool: "send" }, () => true);
    deepStrictEqual(message, `Tool "${server}.send" is not known`);
    match(hint, /1 server has not answered yet/);
  }
  const listed = { ...snapshot, servers: new Map([["mail", { ...down, listedAt: 1 }]]) };
  const { message } = toolNotFound(listed, { server: "mail", tool: "send" }, () => true);
  deepStrictEqual(message, 'Tool "mail.send" does not exist');
});
