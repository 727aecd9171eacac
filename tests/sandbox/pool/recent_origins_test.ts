import assert from "node:assert/strict";
import { createRecentOrigins } from "../../../src/sandbox/pool/recent_origins.ts";

function recentAt() {
  let now = 0;
  const recent = createRecentOrigins(() => now);
  const note = (principalKey: string, session: string | null = null) =>
    recent.note({ principalKey, session, codeSha256: "text" });
  return { recent, note, pass: (ms: number) => (now += ms) };
}

Deno.test("createRecentOrigins() knows others for a minute after their last program", () => {
  const { recent, note, pass } = recentAt();
  note("bob");
  note("alice");
  assert.ok(recent.hasOtherPrincipals());
  pass(59_999);
  note("alice");
  assert.ok(recent.hasOtherPrincipals());
  pass(1);
  note("alice");
  assert.ok(!recent.hasOtherPrincipals());
});

Deno.test("createRecentOrigins() knows the sessions of a principal for a minute", () => {
  const { recent, note, pass } = recentAt();
  note("alice", "one");
  assert.ok(!recent.hasOtherSessions("alice"));
  note("alice", null);
  assert.ok(recent.hasOtherSessions("alice"));
  assert.ok(!recent.hasOtherSessions("bob"));
  pass(60_000);
  note("alice", "one");
  assert.ok(!recent.hasOtherSessions("alice"));
});

Deno.test("createRecentOrigins() forgets principals in the order of their last program", () => {
  const { recent, note, pass } = recentAt();
  note("bob");
  pass(40_000);
  note("alice");
  note("bob");
  pass(40_000);
  note("carol");
  assert.ok(recent.hasOtherPrincipals());
  pass(20_000);
  note("carol");
  assert.ok(!recent.hasOtherPrincipals());
});

Deno.test("createRecentOrigins() bounds the sessions that it tells apart", () => {
  const { recent, note } = recentAt();
  for (let session = 0; session < 10_000; session++) note("alice", `${session}`);
  assert.ok(recent.hasOtherSessions("alice"));
  note("alice", "0");
  assert.ok(recent.hasOtherSessions("alice"));
});
