/** Programs as models write them, over the whole service: they run, or the answer says what to write. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { withApp } from "../fakes/app.ts";
import { serveRecorded } from "../tasks/recorded_tools.ts";

Deno.test("a function that nothing calls is the program", async () => {
  await withApp({ policies: "open" }, async ({ execute }) => {
    const programs = [
      "async function helper(x: number) { return x * 2; }\nasync function main() { return helper(2); }",
      "const main = async () => {\n  return (await tools.orders.list({ limit: 4 })).length;\n};",
      "const LIMIT = 4;\nasync function run(): Promise<number> { return LIMIT; }",
      "Here it is:\n\n```ts\nreturn 4\n```\nIt returns four.",
      "<think>two times two</think>\nreturn 4",
    ];
    for (const code of programs) {
      const { status, result, warnings } = await execute(code);
      deepStrictEqual([status, result, warnings], ["ok", 4, undefined], code);
    }
    const nothing = await execute("function add(a, b) { return a + b; }\nfunction mul(a, b) {}");
    strictEqual(nothing.status, "error");
    match(nothing.error?.message ?? "", /^Nothing runs: the program declares add, mul/);
  });
});

Deno.test("a tool in the spelling of another host is answered with the right one", async () => {
  await withApp({ policies: "open" }, async ({ execute }) => {
    const list = "Write tools.orders.list(args).";
    const programs: [string, string][] = [
      ["return await tools.orders_list({ limit: 1 });", list],
      ['return await tools["orders.list"]({ limit: 1 });', list],
      ["return await tools.mcp__orders__list({ limit: 1 });", list],
      ['return await tools.call("orders.list", { limit: 1 });', list],
      ['return await tools.callTool({ name: "orders_list", arguments: {} });', list],
      ['return await mcp.callTool({ name: "orders.list", arguments: {} });', list],
      ['return await callTool("orders/list", {});', list],
      ["return await orders_list({});", list],
      ["return await tools.mcp.orders_list({});", "Did you mean orders.list?"],
      ["return await tools.functions.orders.list({});", list],
      ['return await tools.search("orders");', "Write tools.$search(query)."],
      ["return await tools.orders({});", "Call one of its tools: tools.orders."],
      ["return await tools.nothing({});", "A tool is called as tools.<server>.<tool>(args)"],
    ];
    for (const [code, hint] of programs) {
      const { status, error } = await execute(code);
      strictEqual(status, "error", code);
      ok(error?.hint.startsWith(hint), `${code}: ${error?.message} | ${error?.hint}`);
      const message = error?.message ?? "";
      ok(!message.includes("is a server") || code.includes("tools.orders("), message);
      strictEqual(error?.line, 1, code);
    }
  });
});

Deno.test("warnings come with every answer, also with that of a short program", async () => {
  await withApp({ policies: "open" }, async ({ execute }) => {
    const code = (n: number) =>
      `const o = await tools.orders.list({ limit: 1 });\nreturn o.map((x) => x.amount + ${n});`;
    const alone = [];
    for (let n = 0; n < 20; n++) alone.push(await execute(code(n)));
    const together = await Promise.all(
      Array.from({ length: 16 }, (_, n) => execute(code(100 + n))),
    );
    for (const { status, warnings } of [...alone, ...together]) {
      strictEqual(status, "ok");
      match(warnings?.[0]?.message ?? "nothing", /^No "amount" in the result of "orders.list"/);
    }
  });
});

Deno.test("a place where the engine names none is that of the check", async () => {
  await withApp({ policies: "open" }, async ({ execute }) => {
    const { error } = await execute("const a = 1;\nfunction f() {\n  await a;\n}\nreturn f();");
    deepStrictEqual([error?.code, error?.line, error?.column], ["ERR_SYNTAX", 3, 3]);
    const decorated = await execute("class A { @log m() {} }\nreturn 1;");
    deepStrictEqual(
      [decorated.error?.message, decorated.error?.line, decorated.error?.column],
      ["Decorators are not supported", 1, 11],
    );
  });
});

Deno.test("an argument that does not match a pattern is told the pattern and an example", async () => {
  await withApp({ policies: "open" }, async ({ execute }) => {
    const { error } = await execute(
      'return await tools.orders.list({ since: new Date("2026-01-01").toISOString() });',
    );
    match(
      error?.message ?? "",
      /\/since: String does not match pattern \^\\d\{4\}-\\d\{2\}-\\d\{2\}\$, such as "2026-04-01"$/,
    );
    const time = await execute(
      'return await tools.calendar.createEvent({ title: "t", start: "2026-01-01", end: "x" });',
    );
    match(time.error?.message ?? "", /\/start: [^;]*such as "2026-04-01T09:00:00Z"/);
  });
});

Deno.test("preflight: block refuses no program that has something else to fall back to", async () => {
  await withApp({ policies: "open", preflight: "block" }, async ({ execute }) => {
    const good: [string, unknown][] = [
      ["globalThis.helper = () => 1;\nreturn helper();", 1],
      [
        "const o = await tools.orders.list({ limit: 2 });\n" +
        "const items = o?.structuredContent?.items ?? o;\nreturn items.length;",
        2,
      ],
      ['if ("github" in tools) return await tools.github.list({});\nreturn 3;', 3],
      [
        "try { return await tools.github.list({}); } catch { return 4; }",
        4,
      ],
      [
        "const o = await tools.orders.list({ limit: 1 });\nreturn o.map((x) => x.amount ?? 5)[0];",
        5,
      ],
      ["return (await tools.github.list({}).catch(() => [1])).length;", 1],
    ];
    for (const [code, expected] of good) {
      const { status, result, error } = await execute(code);
      deepStrictEqual([status, result], ["ok", expected], `${code}: ${error?.message}`);
    }
    const bad = [
      "const o = await tools.orders.list();\nreturn o.filter((x) => x.status === 'completed');",
      "return await tools.orders_list({});",
    ];
    for (const code of bad) {
      const { error, calls } = await execute(code);
      deepStrictEqual([error?.code, calls.length], ["ERR_PREFLIGHT", 0], code);
    }
  });
});

Deno.test("a program lists more than a thousand tools, and calls one named toJSON", async () => {
  const inputSchema = { type: "object" };
  const names = ["toJSON", ...Array.from({ length: 1_200 }, (_, index) => `tool_${index}`)];
  const many = names.map((name) => ({ name, inputSchema, readOnly: true }));
  await using servers = serveRecorded({ many });
  const mcpServers = { many: { url: servers.urlOf("many") } };
  await withApp({ policies: "open", mcpServers }, async ({ execute }) => {
    servers.begin([{ server: "many", tool: "toJSON", args: {}, result: "called" }]);
    const { result } = await execute(
      'return [Object.keys(tools), "many" in tools, "x" in tools, Object.keys(tools.many).length];',
    );
    deepStrictEqual(result, [["many"], true, false, 1_201]);
    strictEqual((await execute("return await tools.many.toJSON_();")).result, "called");
    const { error } = await execute("return await tools.many.toJSON();");
    strictEqual(error?.hint, "Write tools.many.toJSON_(args).");
  });
});

Deno.test("the record of a failed program names the line, which the console marks", async () => {
  await withApp({ policies: "open" }, async ({ execute, json }) => {
    const { executionId } = await execute("const a = 1;\n\nthrow new Error(`no ${a}`);");
    const { records } = await json<{ records: AuditRecord[] }>(
      "GET",
      `/audit?execution=${executionId}`,
    );
    strictEqual(records.find(({ kind }) => kind === "execution.end")?.detail?.line, 3);
  });
});
