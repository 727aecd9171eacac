import assert from "node:assert/strict";
import { digitsForBigints } from "../../src/model/json/exact_json.ts";
import type { JsonSchema } from "../../src/model/json/json.ts";
import { callTool } from "../../src/supervisor/call/call_tool.ts";
import { BYTES_KEY, readValues } from "../../src/supervisor/values/read_values.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";
import { callOf, contextOf, setUpGate } from "./gate_fixture.ts";

const int64 = { type: ["integer", "string"], format: "int64" };
const object = (properties: { [name: string]: JsonSchema }) => ({ type: "object", properties });

function read(schema: JsonSchema, args: unknown) {
  const { args: value, problems } = readValues(schema, args, JSON.stringify(args));
  return problems.length === 0 ? value : problems.map(({ path, message }) => `${path} ${message}`);
}

Deno.test("digits become exact integers wherever the schema says int64", () => {
  const big = "9007199254740993";
  const schema = {
    ...object({
      id: int64,
      list: { type: "array", items: { $ref: "#/$defs/id" } },
      inner: { allOf: [object({ id: int64 })] },
      either: { anyOf: [{ type: "null" }, int64] },
    }),
    additionalProperties: int64,
    $defs: { id: int64 },
  };
  assert.deepEqual(
    read(schema, { id: big, list: [big, 1], inner: { id: big }, either: big, x: big }),
    {
      id: 9007199254740993n,
      list: [9007199254740993n, 1],
      inner: { id: 9007199254740993n },
      either: 9007199254740993n,
      x: 9007199254740993n,
    },
  );
  assert.deepEqual(read(schema, { id: "007", either: null }), { id: 7, either: null });
  assert.deepEqual(read(object({ id: { type: "string" } }), { id: big }), { id: big });
  // A text of another alternative is not a number.
  assert.deepEqual(read(object({ id: { anyOf: [{ type: "string" }, int64] } }), { id: big }), {
    id: big,
  });
  assert.deepEqual(digitsForBigints({ a: [1n, { b: 2n }], c: "x" }), {
    a: ["1", { b: "2" }],
    c: "x",
  });
});

Deno.test("integers that are no longer exact, or out of bounds, are refused", () => {
  const schema = object({
    id: { ...int64, minimum: 1, exclusiveMaximum: 2 ** 60, multipleOf: 3 },
    u: { type: ["integer", "string"], format: "uint64" },
    plain: { type: "integer", format: "int64" },
  });
  const refused = (args: unknown) => String(read(schema, args));
  assert.match(refused({ id: 9007199254740992 }), /^\/id 9007199254740992 is beyond .* BigInt/);
  assert.match(refused({ id: "12.5" }), /"12.5" is not an integer/);
  assert.match(refused({ id: "-9007199254740993" }), /must be 1 or more/);
  assert.match(refused({ id: String(2n ** 60n) }), /must be less than/);
  assert.match(refused({ id: "9007199254740994" }), /multiple of 3/);
  assert.match(refused({ id: "9223372036854775808" }), /is not in the range of int64/);
  assert.match(refused({ u: "-1" }), /is not in the range of uint64/);
  // Who takes numbers alone gets them as they are.
  assert.deepEqual(read(schema, { plain: 2 ** 53 }), { plain: 2 ** 53 });
  assert.deepEqual(read(schema, { id: "9007199254740993", u: "18446744073709551615" }), {
    id: 9007199254740993n,
    u: 18446744073709551615n,
  });
});

Deno.test("bytes are a file where the schema takes one, else their base64", () => {
  const file = { anyOf: [{ type: "string" }, { ...object({ base64: {} }), required: ["base64"] }] };
  const bytes = { [BYTES_KEY]: "aGk=" };
  const schema = object({ file, files: { type: "array", items: file }, text: { type: "string" } });
  assert.deepEqual(read(schema, { file: bytes, files: [bytes, "t"], text: bytes, other: bytes }), {
    file: { base64: "aGk=" },
    files: [{ base64: "aGk=" }, "t"],
    text: "aGk=",
    other: "aGk=",
  });
});

Deno.test("conditions compare exact integers, and the upstream gets them", async () => {
  const policy = `
version: 1
name: test
tools: { ids: { write: [drop, pay] } }
rules:
  - { id: one, allow: write, tools: [ids.drop], when: "args.id == 9007199254740993" }
  - { id: big, allow: write, tools: [ids.pay], when: "args.id > 9007199254740992" }
`;
  const inputSchema = object({ id: int64 });
  const tools = [
    makeTool("ids", "drop", { inputSchema }),
    makeTool("ids", "pay", { inputSchema }),
  ];
  const { deps, calls } = setUpGate(policy, tools);
  const effect = async (tool: string, id: unknown) =>
    (await callTool(deps, contextOf(makePrincipal()), callOf(tool, { id }))).ok;
  assert.equal(await effect("ids.drop", "9007199254740993"), true);
  assert.deepEqual(calls.at(-1)?.args, { id: 9007199254740993n });
  assert.equal(await effect("ids.drop", "9007199254740992"), false);
  assert.equal(await effect("ids.drop", "9007199254740994"), false);
  assert.equal(await effect("ids.drop", 9007199254740992), false);
  assert.equal(await effect("ids.pay", "9007199254740993"), true);
  assert.equal(await effect("ids.pay", "9007199254740992"), false);
  assert.equal(await effect("ids.pay", "5"), false);
  assert.deepEqual(calls.length, 2);
});
