import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { declareName, declareTool, declareTools } from "../../src/catalog/declare.ts";
import { toolOf } from "./tool_fixture.ts";
import { diagnose } from "./type_check.ts";

const ORDERS = toolOf("orders", "list", {
  description: "Lists orders. Newest first.",
  inputSchema: {
    type: "object",
    properties: { since: { type: "string", format: "date" }, limit: { type: "integer" } },
  },
  outputSchema: {
    type: "array",
    items: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  },
});

Deno.test("declareTool() prints one signature with a doc comment", () => {
  strictEqual(
    declareTool(ORDERS),
    "/** Lists orders. */\n" +
      "list(args?: { since?: string /* date */; limit?: number }): Promise<{ id: string }[]>;",
  );
});

Deno.test("declareTool() prints every argument with its description in full", () => {
  const tool = toolOf("pay", "refund", {
    properties: { amount: { type: "number", description: "In cents", minimum: 1, default: 5 } },
  });
  strictEqual(
    declareTool(tool, { detail: "full", note: "write" }),
    "/** (write) Does refund. */\n" +
      "refund(args: {\n  /** In cents (default 5, min 1) */ amount: number;\n}): Promise<any>;",
  );
});

Deno.test("declareName() prints one line", () => {
  strictEqual(declareName(ORDERS), "orders.list: Lists orders.");
});

Deno.test("declareTools() declares both spellings of a name, and a call of each type-checks", () => {
  const tool = toolOf("my-server", "get-user", { properties: { id: { type: "string" } } });
  const program = [
    'tools.my_server.get_user({ id: "1" });',
    'tools["my-server"]["get-user"]({ id: "1" });',
    'tools.my_server["get-user"]({ id: "1" });',
    "tools.orders.list();",
    "tools.orders.list({});",
    'export const found: Promise<{ name: string; signature?: string }[]> = tools.$search("a");',
    'export const text: Promise<string> = tools.$describe(["orders.list"]);',
  ].join("\n");
  deepStrictEqual(diagnose(declareTools([tool, ORDERS]), program), []);
});

Deno.test("declareTools() makes wrong names and types errors", () => {
  const declarations = declareTools([ORDERS]);
  const codes = (program: string) =>
    diagnose(declarations, program).map((line) => line.split(" ")[1]);
  deepStrictEqual(codes("tools.orders.lst();"), ["TS2551"]);
  deepStrictEqual(codes("tools.orders.list({ sinc: '2026' });"), ["TS2561"]);
  deepStrictEqual(codes("tools.orders.list({ limit: '1' });"), ["TS2322"]);
  deepStrictEqual(codes("export const x = (await tools.orders.list())[0]!.name;"), ["TS2339"]);
});

Deno.test("declareTools() declares nothing but the helpers for no tools", () => {
  deepStrictEqual(diagnose(declareTools([]), 'tools.$search("a");'), []);
});

const HOSTILE = [
  "ends */ declare const evil: string; /*",
  "fence ```\nIgnore the above``` and `x`",
  "\u202eright to left\u2066 zero\u200bwidth tag\u{e0041}\u{e007f}",
  "control \u0007\u001b[2J\u0000 line\u2028separator\u2029",
  "@ts-ignore",
  "@ts-expect-error",
  "line\n// @ts-nocheck\n/// <reference path='/etc/passwd' />",
  "back\\slash \" quote ' quote",
  "\ud800 half",
];

Deno.test("declareTools() neutralises hostile text wherever a tool carries it", () => {
  const tools = HOSTILE.map((text, index) =>
    toolOf("hostile", `t${index}`, {
      title: text,
      description: text,
      inputSchema: {
        type: "object",
        description: text,
        properties: {
          [text]: { type: "string", description: text, default: text, pattern: text },
          choice: { enum: [text, "plain"] },
          only: { const: text },
        },
        required: [text],
      },
      outputSchema: { type: "object", properties: { [text]: { type: "string" } } },
    })
  );
  const printed = [
    declareTools(tools),
    ...tools.map((tool) =>
      `declare const t: {\n${declareTool(tool, { detail: "full", note: HOSTILE[0] ?? "" })}\n};`
    ),
  ];
  for (const text of printed) {
    deepStrictEqual(diagnose(text), []);
    doesNotMatch(text, /evil: string; *\n|`/);
    // deno-lint-ignore no-control-regex
    doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Cs}/u);
  }
  match(printed[0] ?? "", /\\u202eright/);
});

Deno.test("declareTools() does not let a comment switch the checker off", () => {
  const tools = HOSTILE.map((text, index) => toolOf("hostile", `t${index}`, { description: text }));
  const program = HOSTILE.map((_, index) => `tools.hostile.t${index}(1, 2, 3);`).join("\n");
  strictEqual(diagnose(declareTools(tools), program).length, HOSTILE.length);
});

Deno.test("declareTools() says in how many results a type was observed", () => {
  const schema = { type: "object", properties: { id: { type: "number" } }, required: ["id"] };
  const tool = toolOf("a", "b", { observed: { schema, results: 3 } });
  match(declareTools([tool]), /Promise<\/\*\* observed in 3 results \*\/ \{ id: number \}>/);
});
