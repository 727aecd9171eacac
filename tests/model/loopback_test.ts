import assert from "node:assert/strict";
import { bareHost, isLoopback, isLoopbackName } from "../../src/model/loopback.ts";

Deno.test("isLoopback() knows what only this machine can reach", () => {
  for (
    const host of [
      "localhost",
      "LOCALHOST",
      "localhost.",
      "127.0.0.1",
      "127.255.255.254",
      "::1",
      "[::1]",
    ]
  ) {
    assert.ok(isLoopback(host), host);
    assert.ok(isLoopbackName(host), host);
  }
});

Deno.test("isLoopback() takes no name for an address", () => {
  const names = [
    "127.evil.example",
    "127.0.0.1.example",
    "127.0.0.256",
    "127.1",
    "0.0.0.0",
    "::",
    "",
  ];
  for (const host of names) {
    assert.ok(!isLoopback(host), host);
    assert.ok(!isLoopbackName(host), host);
  }
});

Deno.test("names below localhost are of this machine only where they are looked up and checked", () => {
  assert.ok(!isLoopback("api.localhost"));
  assert.ok(isLoopbackName("api.localhost"));
  assert.ok(!isLoopbackName("localhost.example"));
});

Deno.test("bareHost() takes off brackets and the dot of the root", () => {
  assert.equal(bareHost("[FE80::1]"), "fe80::1");
  assert.equal(bareHost("Example.com."), "example.com");
});
