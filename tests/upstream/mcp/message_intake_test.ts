import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import assert from "node:assert/strict";
import { MALFORMED_ANSWER, MessageIntake } from "../../../src/upstream/mcp/message_intake.ts";

/** An intake with the requests of these ids under way. */
function intakeOf(...ids: (number | string)[]) {
  const delivered: JSONRPCMessage[] = [];
  const intake = new MessageIntake({
    deliver: (message) => delivered.push(message),
    problem: () => {},
  });
  const send = (id: number | string, method = "tools/call") =>
    intake.sending({ jsonrpc: "2.0", id, method });
  for (const id of ids) send(id);
  return { intake, delivered, send };
}

const message = (text: string, id: unknown, more: { [name: string]: unknown } = {}) => ({
  jsonrpc: "2.0",
  id,
  error: { code: -32_000, message: text },
  ...more,
});

function errorsOf(delivered: readonly JSONRPCMessage[]) {
  return delivered.map((each) => "error" in each ? [each.id, each.error.code] : each);
}

Deno.test("an answer with what JSON-RPC does not know is delivered without it", () => {
  const good = { jsonrpc: "2.0", id: 1, result: { a: 1 } };
  const odd: readonly unknown[] = [
    good,
    { ...good, error: null },
    { ...good, ok: true },
    [good],
    { ...good, id: "1" },
  ];
  for (const value of odd) {
    const { intake, delivered } = intakeOf(1);
    intake.receive(value);
    assert.equal(delivered.length, 1, JSON.stringify(value));
    assert.deepEqual((delivered[0] as { result: unknown }).result, { a: 1 });
  }
});

Deno.test("an answer that cannot be one fails its request at once", () => {
  const answer = { jsonrpc: "2.0", id: 1 };
  const unusable: readonly unknown[] = [
    answer,
    { ...answer, result: null },
    { ...answer, result: 7 },
    { ...answer, result: "text" },
    { ...answer, result: [{ type: "text", text: "x" }] },
    { ...answer, error: { code: -32_000 } },
    { ...answer, error: {} },
    { ...answer, error: 5 },
    { ...answer, result: {}, error: { code: -32_000, message: "both" } },
    { id: 1, result: {} },
    { jsonrpc: "1.0", id: 1, result: {} },
    { ...answer, id: null, result: {} },
    { ...answer, id: 1.5, result: {} },
    { ...answer, id: [1], result: {} },
    { ...answer, id: { value: 1 }, result: {} },
    { ...answer, id: true, result: {} },
    { ...answer, id: 999, result: {} },
    { ...answer, id: "other", result: {} },
    { jsonrpc: "2.0", result: {} },
  ];
  for (const value of unusable) {
    const { intake, delivered } = intakeOf(1);
    intake.receive(value);
    assert.deepEqual(errorsOf(delivered), [[1, MALFORMED_ANSWER]], JSON.stringify(value));
  }
});

Deno.test("the words of an odd error reach the request that waits", () => {
  const cases: readonly [string, unknown][] = [
    ["Limit (E_LIMIT)", { jsonrpc: "2.0", id: 1, error: { code: "E_LIMIT", message: "Limit" } }],
    ["Limit (1.5)", { jsonrpc: "2.0", id: 1, error: { code: 1.5, message: "Limit" } }],
    ["Limit", { jsonrpc: "2.0", id: 1, error: { message: "Limit" } }],
    ["Limit", { jsonrpc: "2.0", id: 1, error: "Limit" }],
    ["Limit", { jsonrpc: "2.0", id: 1, error: { code: -1, data: "Limit" } }],
    ["Limit", { ...message("Limit", 1), result: null }],
    ["Limit", message("Limit", null)],
    ["Limit", message("Limit", "server-error")],
    ["Limit", { jsonrpc: "2.0", error: { code: -1, message: "Limit" } }],
  ];
  for (const [words, value] of cases) {
    const { intake, delivered } = intakeOf(1);
    intake.receive(value);
    const [error] = delivered as { id: number; error: { message: string } }[];
    assert.deepEqual([error?.id, error?.error.message], [1, words], JSON.stringify(value));
  }
});

Deno.test("lines of a log fail nothing", () => {
  const { intake, delivered } = intakeOf(1);
  for (const noise of [[], 7, "x", null, {}, { level: "error", error: "x" }, { id: 1, msg: "x" }]) {
    intake.receive(noise);
  }
  assert.deepEqual(delivered, []);
  intake.receive({ jsonrpc: "2.0", method: "notifications/message", params: {} });
  assert.equal(delivered.length, 1);
});

Deno.test("a late answer fails nobody, and a second one neither", () => {
  const { intake, delivered, send } = intakeOf(1);
  intake.sending({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
  send(2);
  intake.receive({ jsonrpc: "2.0", id: 1, result: {} });
  assert.deepEqual(delivered, []);
  intake.receive({ jsonrpc: "2.0", id: 2, result: {} });
  intake.receive({ jsonrpc: "2.0", id: 2, result: {} });
  assert.equal(delivered.length, 1);
});

Deno.test("an answer without an id waits until it is clear whose it is", () => {
  const { intake, delivered, send } = intakeOf(1, 2, 3);
  intake.receive(message("whose?", null));
  assert.deepEqual(delivered, []);
  send(4); // sent later, so it cannot be meant
  intake.receive({ jsonrpc: "2.0", id: 3, result: {} });
  intake.receive({ jsonrpc: "2.0", id: 1, result: {} });
  assert.deepEqual(errorsOf(delivered.slice(2)), [[2, -32_000]]);
  intake.receive({ jsonrpc: "2.0", id: 4, result: {} });
  assert.equal(delivered.length, 4);
});

Deno.test("as many answers without an id as requests fail all of them", () => {
  const { intake, delivered } = intakeOf(1, 2);
  intake.receive(message("a", null));
  intake.receive(message("b", null));
  assert.deepEqual(errorsOf(delivered), [[1, MALFORMED_ANSWER], [2, MALFORMED_ANSWER]]);
});

Deno.test("a subscription, which is never answered, keeps no other request waiting", () => {
  const { intake, delivered, send } = intakeOf();
  send("listen", "subscriptions/listen");
  send(1);
  intake.receive(message("no", null));
  assert.deepEqual(errorsOf(delivered), [[1, -32_000]]);
});
