import assert from "node:assert/strict";
import { checkKey } from "../../src/store/change_rules.ts";
import { keyOf, ordered, part, prefixOf } from "../../src/store/keys.ts";

const NAMES = ["a", "a/b", "a b", "é", "../x", "\ud800", "%2F", "~", "x".repeat(5_000), ""];

Deno.test("every name makes a valid key, without a separator of its own", () => {
  for (const name of NAMES) {
    assert.ok(!part(name).includes("/"), name);
    for (const key of [keyOf.apiKey(name), keyOf.pins(name), keyOf.auditShipPlan(name, name)]) {
      checkKey(key);
    }
  }
  checkKey(keyOf.quota(...["x", "é", "/", "y"].map((name) => name.repeat(2_000)) as [
    string,
    string,
    string,
    string,
  ]));
});

Deno.test("names that differ have parts that differ, also where they are cut", () => {
  const long = "x".repeat(5_000);
  const names = [
    ...NAMES.filter((name) => name !== "\ud800"),
    `${long}1`,
    `${long}2`,
    "é".repeat(99),
  ];
  assert.equal(new Set(names.map(part)).size, names.length);
  assert.ok(part(long).length <= 180);
  assert.equal(part("y".repeat(180)), "y".repeat(180));
});

Deno.test("a key lies under the prefix that lists it, and under no other server's", () => {
  assert.ok(keyOf.apiKey("1").startsWith(prefixOf.apiKeys()));
  assert.ok(keyOf.auditPayloads("main", 7).startsWith(prefixOf.auditPayloads("main")));
  assert.ok(!keyOf.auditPayloads("main2", 7).startsWith(prefixOf.auditPayloads("main")));
  assert.ok(keyOf.auditSeal("main").startsWith(prefixOf.auditSeals()));
  assert.ok(keyOf.auditTrimmed("main").startsWith(prefixOf.auditTrimmed()));
});

Deno.test("kinds of keys do not meet, whatever the names are", () => {
  const keys = Object.values(keyOf).map((make) =>
    (make as (...names: readonly unknown[]) => string)("a", "b", "c", "d")
  );
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("a user token's place keeps its separators and escapes the rest", () => {
  assert.equal(keyOf.userToken("grant/mail box/é"), "user-token/grant/mail%20box/%C3%A9");
});

Deno.test("ordered numbers sort as texts like the numbers", () => {
  const numbers = [0, 9, 10, 99, 1_000, Number.MAX_SAFE_INTEGER];
  assert.deepEqual(numbers.map(ordered).toSorted(), numbers.map(ordered));
});
