import assert from "node:assert/strict";
import type { CatalogSnapshot } from "../../src/model/catalog.ts";
import type { Tool } from "../../src/model/tool.ts";
import { fullyNamed, meantTools } from "../../src/supervisor/call/meant_tools.ts";
import { nameHint } from "../../src/supervisor/call/name_hint.ts";
import { mayListTools } from "../../src/supervisor/program/program_names.ts";
import { toolOf } from "../catalog/tool_fixture.ts";

function snapshotOf(...names: string[]): CatalogSnapshot {
  const tools = new Map<string, Tool>();
  for (const name of names) {
    const [server = "", tool = ""] = name.split(".");
    const made = toolOf(server, tool);
    tools.set(made.id, made);
  }
  return { revision: 1, tools, servers: new Map(), quarantined: [] } as unknown as CatalogSnapshot;
}

const SHOP = snapshotOf(
  "orders.list",
  "orders.get",
  "customers.batchGet",
  "my-server.get-user",
  "files.read_text_file",
  "archive.read_text_file",
);
const everything = () => true;
const idsOf = (tools: readonly Tool[]) => tools.map(({ id }) => id);

Deno.test("meantTools() knows the spellings of other hosts", () => {
  const cases: [string, string[]][] = [
    ["orders_list", ["orders.list"]],
    ["ordersList", ["orders.list"]],
    ["orders.list", ["orders.list"]],
    ["orders/list", ["orders.list"]],
    ["orders:list", ["orders.list"]],
    ["mcp__orders__list", ["orders.list"]],
    ["mcp__toolgate__orders__list", ["orders.list"]],
    ["functions.orders_list", ["orders.list"]],
    ["customers_batch_get", ["customers.batchGet"]],
    ["mcp_my_server_get_user", ["my_server.get_user"]],
    ["list_orders", ["orders.list"]],
    ["getOrder", ["orders.get"]],
    ["get_user", ["my_server.get_user"]],
    ["read_text_file", ["files.read_text_file", "archive.read_text_file"]],
    ["reorderslist", []],
    ["orders", []],
    ["", []],
    ["___", []],
  ];
  for (const [name, ids] of cases) {
    assert.deepEqual(idsOf(meantTools(SHOP, name, everything)), ids, name);
  }
  assert.deepEqual(idsOf(fullyNamed(SHOP, "mcp__orders__list", everything)), ["orders.list"]);
  assert.deepEqual(fullyNamed(SHOP, "read_text_file", everything), []);
});

Deno.test("meantTools() says the same whether a tool is hidden or missing", () => {
  const visible = ({ id }: Tool) => id !== "files.read_text_file";
  const without = snapshotOf("orders.list", "archive.read_text_file");
  for (const name of ["read_text_file", "files_read_text_file", "mcp__files__read_text_file"]) {
    assert.deepEqual(
      idsOf(meantTools(SHOP, name, visible)),
      idsOf(meantTools(without, name, everything)),
      name,
    );
  }
});

Deno.test("nameHint() finds the tool in the line that failed", () => {
  const meant = (name: string) => meantTools(SHOP, name, everything);
  const hint = (message: string, code: string, line?: number) =>
    nameHint(
      {
        code: "ERR_PROGRAM",
        name: "Error",
        message,
        hint: "",
        ...(line === undefined ? {} : { line }),
      },
      code,
      meant,
    );
  const list = "Write tools.orders.list(args).";
  const cases: [string, string, string | null][] = [
    ["mcp is not defined", 'await mcp.callTool({ name: "orders.list", arguments: {} })', list],
    ["mcp is not defined", 'mcp.callTool(\n  { "tool_name": "orders_list" })', list],
    ["callTool is not defined", 'callTool("orders/list", {})', list],
    ["orders_list is not defined", "await orders_list({})", list],
    ["api is not defined", "api.orders.list({})", list],
    ["tools.mcp.orders.list is not a function", "", list],
    ["tools.orders.list.execute is not a function", "", list],
    ["list is not defined", "return list.length", null],
    ["helper is not defined", "return helper(1)", null],
    ["x.map is not a function", "x.map()", null],
  ];
  for (const [message, code, expected] of cases) assert.equal(hint(message, code, 1), expected);
  assert.equal(hint("callTool is not defined", 'const a = 1;\ncallTool("orders.list")', 2), list);
});

Deno.test("mayListTools() is false only for programs that name tools in full", () => {
  const plain = [
    "return await tools.orders.list({})",
    "tools?.orders?.list({}); tools.$search('x'); const mytools = other.tools;",
    "return 1",
  ];
  for (const code of plain) assert.equal(mayListTools(code), false, code);
  const asking = [
    "Object.keys(tools)",
    "Object.keys(tools.orders)",
    '"orders" in tools',
    "const { orders } = tools; return Object.keys(orders)",
    "for (const name in tools) {}",
    "const all = { ...tools }",
    "const t = tools\nreturn Object.keys(t)",
    "const o = tools.orders; return 'list' in o",
    "Object.keys(globalThis['to' + 'ols'])",
  ];
  for (const code of asking) assert.equal(mayListTools(code), true, code);
});
