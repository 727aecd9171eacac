import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { resultOf, shareTypes } from "../../src/search/share_types.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { diagnose } from "../catalog/type_check.ts";
import { ALL, indexOf } from "./search_fixture.ts";

const ORDER = "{ id: string; customerId: string; date: string; status: string; total: number }";

Deno.test("shareTypes() writes a type that two signatures have once", () => {
  const shared = shareTypes([
    `get(args: { id: string }): Promise<${ORDER}>;`,
    `list(args?: {}): Promise<${ORDER}[]>;`,
    "count(args?: {}): Promise<{ count: number }>;",
  ]);
  deepStrictEqual(shared.types, [`type Result1 = ${ORDER};`]);
  deepStrictEqual(shared.signatures, [
    "get(args: { id: string }): Promise<Result1>;",
    "list(args?: {}): Promise<Result1[]>;",
    "count(args?: {}): Promise<{ count: number }>;",
  ]);
});

Deno.test("shareTypes() leaves short types, single ones and arguments alone", () => {
  const signatures = [
    "a(args: { x: number }): Promise<{ ok: boolean }>;",
    "b(args: { x: number }): Promise<{ ok: boolean }>;",
    `c(args: ${ORDER}): Promise<any>;`,
    `d(args: ${ORDER}): Promise<string | null>;`,
  ];
  deepStrictEqual(shareTypes(signatures), { types: [], signatures });
});

Deno.test("resultOf() finds the object of a result, whatever the arguments hold", () => {
  strictEqual(resultOf('a(args: { x: "): Promise<{ y: 1 }>;" }): Promise<{ z: 2 }>;'), "{ z: 2 }");
  strictEqual(resultOf('a(args?: {}): Promise<{ a: "}" | "{" }[]>;'), '{ a: "}" | "{" }');
  strictEqual(resultOf("a(args?: {}): Promise<{ a: 1 } | { b: 2 }>;"), null);
  strictEqual(resultOf("a(args?: {}): Promise<{ a: 1 } | { b: 2 }[]>;"), null);
  strictEqual(resultOf("a(args?: {}): Promise<any>;"), null);
});

Deno.test("an answer with shared types type-checks and is shorter", async () => {
  const outputSchema = {
    type: "object",
    properties: Object.fromEntries(
      ["id", "customer", "status", "currency", "note"].map((name) => [name, { type: "string" }]),
    ),
  };
  const names = ["get_order", "update_order", "create_order"];
  const tools = names.map((name) => toolOf("shop", name, { outputSchema }));
  const { declarations, hits } = await indexOf(tools).search({ query: "order" }, ALL);
  match(declarations, /^type Result1 = \{ id\?: string; /);
  deepStrictEqual(diagnose(declarations), []);
  const program =
    "export const s = (await tools.shop.get_order())!.status satisfies string | undefined;";
  deepStrictEqual(diagnose(declarations, program), []);
  ok(hits.every((hit) => hit.signature?.includes("customer?: string")), "a hit stands alone");
});
