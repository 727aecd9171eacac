import assert from "node:assert/strict";
import { descriptorLimit } from "../../src/config/descriptor_limit.ts";
import { parseConfig } from "../../src/config/parse_config.ts";
import { runCommand } from "../../src/config/run_command.ts";
import { createBodyBudget } from "../../src/http/server/body_budget.ts";
import { edgeBounds } from "../../src/http/server/connection_bounds.ts";
import { createPeers } from "../../src/http/server/peers.ts";

Deno.test("edgeBounds() leaves a reserve, whatever the limit or the setting is", () => {
  const parts = { hosts: 16, upstreams: 3 };
  assert.deepEqual(
    [700, 1_024, 20_000, Infinity].map((limit) => edgeBounds(limit, 0, parts).connectionsMax),
    [
      455,
      665,
      4_096,
      4_096,
    ],
  );
  assert.equal(edgeBounds(700, 100_000, parts).connectionsMax, 455);
  assert.equal(edgeBounds(20_000, 10_000, parts).connectionsMax, 10_000);
  assert.equal(edgeBounds(20_000, 50, parts).connectionsMax, 50);
  assert.equal(edgeBounds(64, 0, parts).connectionsMax, 16);
});

Deno.test("descriptorLimit() is what the shell says, else the usual limit", async () => {
  const limit = await descriptorLimit(runCommand);
  assert.ok(limit >= 64, String(limit));
  const say = (stdout: string, code = 0) =>
    descriptorLimit(() => Promise.resolve({ code, stdout }));
  assert.equal(await say("700\n"), 700);
  assert.equal(await say("unlimited\n"), Infinity);
  assert.equal(await say("700\n", 1), 1_024);
  assert.equal(await say("many"), 1_024);
  assert.equal(await descriptorLimit(() => Promise.reject(new Error("no shell"))), 1_024);
});

Deno.test("createPeers() counts by address, and by what a trusted proxy names", () => {
  const peers = createPeers(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]);
  assert.equal(peers.keyOf("127.0.0.1"), null);
  assert.equal(peers.keyOf("::1"), null);
  assert.equal(peers.keyOf("::ffff:127.0.0.1"), null);
  assert.equal(peers.keyOf("::ffff:8.8.4.4"), "8.8.4.4");
  assert.equal(peers.keyOf("10.1.2.3"), null);
  assert.equal(peers.keyOf("::ffff:10.1.2.3"), null);
  assert.equal(peers.keyOf("fd12::1"), null);
  // All of a /64 is one peer.
  assert.equal(peers.keyOf("2001:db8:0:1::5"), peers.keyOf("2001:db8:0:1:ffff:2:3:4"));
  assert.notEqual(peers.keyOf("2001:db8:0:1::5"), peers.keyOf("2001:db8:0:2::5"));
  assert.equal(peers.keyOf("2001:db8::5"), "2001:db8:0:0::/64");

  assert.equal(peers.forwardedKeyOf("8.8.4.4", "1.2.3.4"), null);
  assert.equal(peers.forwardedKeyOf("10.1.2.3", null), null);
  // What the client itself wrote stands to the left of what the proxy saw.
  assert.equal(peers.forwardedKeyOf("10.1.2.3", "6.6.6.6, 1.2.3.4"), "1.2.3.4");
  assert.equal(peers.forwardedKeyOf("10.1.2.3", "1.2.3.4, 10.9.9.9, 192.168.1.1"), "1.2.3.4");
  assert.equal(peers.forwardedKeyOf("10.1.2.3", "1.2.3.4, unknown"), null);
  assert.equal(peers.forwardedKeyOf("fd12::1", "[2001:db8::1]:443"), "2001:db8:0:0::/64");
});

Deno.test("a body budget counts bytes of all and of each owner until they are released", () => {
  const budget = createBodyBudget(100, 60);
  const first = budget.open();
  assert.equal(first.add(30), null);
  first.owners.add("a"); // known only after some bytes
  assert.equal(first.add(20), null);
  const second = budget.open();
  second.owners.add("a");
  assert.equal(second.add(11), "owner");
  const third = budget.open();
  third.owners.add("b");
  assert.equal(third.add(39), null);
  assert.equal(third.add(1), "all");
  second.release();
  first.release();
  first.release();
  assert.equal(budget.bytes(), 40);
  const fourth = budget.open();
  fourth.owners.add("a");
  assert.equal(fourth.add(60), null);
  fourth.release();
  third.release();
  assert.equal(budget.bytes(), 0);
});

Deno.test("server.trustedProxies takes addresses and ranges only", () => {
  const { server } = parseConfig('server: {trustedProxies: [10.0.0.1, "::1", 10.0.0.0/8]}', "t");
  assert.equal(server.trustedProxies.length, 3);
  assert.equal(server.connectionsMax, 0);
  assert.throws(
    () => parseConfig("server: {trustedProxies: [proxy.example]}", "t"),
    /10\.0\.0\.0\/8/,
  );
  assert.throws(() => parseConfig("server: {trustedProxies: [10.0.0.0/33]}", "t"));
});
