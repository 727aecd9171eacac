import assert from "node:assert/strict";
import { compileToolPattern } from "../../src/policy/tool_pattern.ts";
import { makeTool } from "./sample_tools.ts";

function matches(pattern: string, server: string, name: string): boolean {
  return compileToolPattern(pattern).matches(makeTool(server, name));
}

Deno.test("a tool pattern names the server before the first dot and the tool after it", () => {
  assert.ok(matches("pay.refund", "pay", "refund"));
  assert.ok(matches("pay.*", "pay", "refund"));
  assert.ok(matches("*.refund", "pay", "refund"));
  assert.ok(matches("*", "pay", "refund"));
  assert.ok(matches("p*.re*d", "pay", "refund"));
  assert.ok(!matches("pay.refund", "pay", "refunds"));
  assert.ok(!matches("pay.*", "payments", "refund"));
  assert.ok(!matches("ay.refund", "pay", "refund"));
  assert.ok(matches("pay", "pay", "refund"), "a server alone means all of it");
  assert.ok(!matches("Pay.refund", "pay", "refund"));
});

Deno.test("a tool pattern may use the upstream's spelling or the identifiers of programs", () => {
  assert.ok(matches("my-server.get-user", "my-server", "get-user"));
  assert.ok(matches("my_server.get_user", "my-server", "get-user"));
  assert.ok(matches("my_server.get-user", "my-server", "get-user"));
  assert.ok(matches("my-*.get_*", "my-server", "get-user"));
});

Deno.test("a tool cannot pass for one of another server by a dot in its name", () => {
  assert.ok(!matches("pay.eu.refund", "pay.eu.x", "refund"));
  assert.ok(matches("pay.eu.refund", "pay", "eu.refund"));
  assert.ok(matches("pay.eu.refund", "pay.eu", "refund"), "a server with a dot, written out");
  assert.ok(matches("pay_eu.refund", "pay.eu", "refund"));
  assert.ok(!matches("other.pay.refund", "pay", "refund"));
  assert.ok(!matches("pay.refund", "evil", "pay.refund"));
  assert.ok(!matches("pay.*", "evil", "pay.refund"));
});
