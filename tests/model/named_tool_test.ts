import assert from "node:assert/strict";
import { findTool, lookUp, splitToolName, toolFromName } from "../../src/model/named_tool.ts";
import type { Tool } from "../../src/model/tool.ts";

function toolOf(server: string, name: string): Tool {
  const identifier = name.replaceAll(/\W/g, "_");
  const serverIdentifier = server.replaceAll(/\W/g, "_");
  return {
    ...toolFromName(`${serverIdentifier}.${identifier}`),
    ...{ server, name, serverIdentifier, identifier },
  };
}

const DOTTED = toolOf("pay.eu", "refund-all");
const PLAIN = toolOf("pay", "eu.refund");
const LIST = [DOTTED, PLAIN];
const MAP = new Map(LIST.map((tool) => [tool.id, tool]));

Deno.test("findTool() knows each part as the upstream writes it and as an identifier", () => {
  for (const tools of [LIST, MAP]) {
    for (const server of ["pay.eu", "pay_eu"]) {
      for (const name of ["refund-all", "refund_all"]) {
        assert.equal(findTool(tools, `${server}.${name}`), DOTTED, `${server}.${name}`);
      }
    }
    assert.equal(findTool(tools, "pay.eu.refund"), PLAIN);
    assert.equal(findTool(tools, "pay.refund"), null);
    assert.equal(findTool(tools, "pay"), null);
    assert.equal(findTool(tools, "__proto__.constructor"), null);
  }
});

Deno.test("splitToolName() splits an unknown name at its first dot", () => {
  assert.deepEqual(splitToolName(MAP, "pay.eu.refund-all"), {
    server: "pay.eu",
    tool: "refund-all",
  });
  assert.deepEqual(splitToolName(MAP, "a.b.c"), { server: "a", tool: "b.c" });
  assert.deepEqual(splitToolName(MAP, "alone"), { server: "", tool: "alone" });
  assert.deepEqual(splitToolName([], ".b"), { server: "", tool: "b" });
});

Deno.test("lookUp() gives a tool its own spelling before another one's identifier", () => {
  const written = toolOf("shop", "get-order");
  const other: Tool = { ...toolOf("shop", "get_order"), identifier: "get_order_2", id: "shop.2" };
  for (const tools of [[written, other], [other, written]]) {
    const unlisted = tools.map((tool, index) => ({ ...tool, id: `x.${index}` }));
    const found = lookUp(unlisted, { server: "shop", tool: "get_order" });
    assert.equal(found?.name, "get_order");
  }
});

Deno.test("toolFromName() splits at the first dot", () => {
  const tool = toolFromName("pay.eu.refund");
  assert.deepEqual([tool.server, tool.name, tool.id], ["pay", "eu.refund", "pay.eu.refund"]);
});
