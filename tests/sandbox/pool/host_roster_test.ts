import assert from "node:assert/strict";
import { createHostRoster, type HostRoster } from "../../../src/sandbox/pool/host_roster.ts";
import type { Lane, PooledHost } from "../../../src/sandbox/pool/pooled_host.ts";

interface FakeHost {
  readonly lane?: Lane;
  readonly state?: PooledHost["state"];
  readonly owner?: string;
  readonly idleSinceMs?: number;
}

/** Adds a host that is ready, common and nobody's unless `host` says something else. */
function add(roster: HostRoster, host: FakeHost): PooledHost {
  const fake = {
    lane: host.lane ?? "common",
    state: host.state ?? "ready",
    principalKey: host.owner ?? null,
    idleSinceMs: host.idleSinceMs ?? 0,
    failure: null,
    run: () => Promise.reject(new Error("runs nothing")),
    retire: () => void (fake.state = "dead"),
    end: () => Promise.resolve(fake.retire()),
  };
  roster.add(fake);
  return fake;
}

Deno.test("createHostRoster() prefers a principal's own host to one that belongs to nobody", () => {
  const roster = createHostRoster();
  const fresh = add(roster, {});
  const own = add(roster, { owner: "alice" });
  assert.equal(roster.find("alice", "common"), own);
  assert.equal(roster.find("bob", "common"), fresh);
});

Deno.test("createHostRoster() gives no host of another principal, of another lane or at work", () => {
  const roster = createHostRoster();
  add(roster, { owner: "bob" });
  add(roster, { owner: "alice", lane: "slow" });
  for (const state of ["starting", "busy", "recycling", "dead"] as const) {
    add(roster, { owner: "alice", state });
  }
  assert.equal(roster.find("alice", "common"), null);
});

Deno.test("createHostRoster() counts hosts by what they are good for", () => {
  const roster = createHostRoster();
  add(roster, {});
  add(roster, { state: "starting" });
  add(roster, { state: "starting", owner: "alice" });
  add(roster, { state: "recycling", owner: "alice" });
  const busy = add(roster, { state: "busy", owner: "alice" });
  assert.equal(roster.countFresh(), 1);
  assert.equal(roster.countComing(), 1);
  assert.equal(roster.countSoon("alice", "common"), 2);
  assert.equal(roster.countSoon("alice", "slow"), 0);
  assert.equal(roster.count("busy"), 1);
  roster.remove(busy);
  assert.equal(roster.size, 4);
});

Deno.test("createHostRoster() evicts the host that has been idle longest, never one that is nobody's", () => {
  const roster = createHostRoster();
  const fresh = add(roster, { idleSinceMs: 1 });
  const late = add(roster, { owner: "alice", idleSinceMs: 3 });
  const early = add(roster, { owner: "bob", idleSinceMs: 2 });
  assert.ok(roster.evictIdle());
  assert.deepEqual([fresh.state, late.state, early.state], ["ready", "ready", "dead"]);
  assert.ok(roster.evictIdle());
  assert.ok(!roster.evictIdle());
  assert.ok(roster.evictFresh());
  assert.ok(!roster.evictFresh());
});

Deno.test("createHostRoster() admits a principal to a lane up to its own part", () => {
  const roster = createHostRoster();
  const max = { ofOne: 1, ofAll: 2 };
  assert.ok(roster.admits("alice", "slow", max));
  add(roster, { owner: "alice", lane: "slow", state: "busy" });
  assert.ok(!roster.admits("alice", "slow", max));
  assert.ok(roster.admits("bob", "slow", max));
  assert.ok(roster.admits("alice", "watched", max));
});

Deno.test("createHostRoster() ends an idle host of a full lane for a new principal, none at work", () => {
  const roster = createHostRoster();
  const max = { ofOne: 1, ofAll: 2 };
  const busy = add(roster, { owner: "alice", lane: "slow", state: "busy" });
  const idle = add(roster, { owner: "bob", lane: "slow" });
  assert.ok(roster.admits("carol", "slow", max));
  assert.deepEqual([busy.state, idle.state], ["busy", "dead"]);
  add(roster, { owner: "carol", lane: "slow", state: "busy" });
  assert.ok(!roster.admits("dave", "slow", max));
});

Deno.test("createHostRoster() ends every host", async () => {
  const roster = createHostRoster();
  const hosts = [add(roster, {}), add(roster, { state: "busy" })];
  await roster.endAll();
  assert.deepEqual(hosts.map(({ state }) => state), ["dead", "dead"]);
});
