import assert from "node:assert/strict";
import { createConduct, noteEnd, type ProgramOrigin } from "../../../src/sandbox/pool/conduct.ts";
import { refusedOutcome } from "../../../src/sandbox/pool/pool_refusals.ts";
import { LIMITS } from "../open_pool.ts";

function origin(code: string, session = "s", principalKey = "alice"): ProgramOrigin {
  return { principalKey, session, codeSha256: code };
}

function conductAt() {
  let now = 1_000;
  return { conduct: createConduct(() => now), pass: (ms: number) => (now += ms) };
}

Deno.test("a text that hit limits twice is struck, and nothing else is", () => {
  const { conduct } = conductAt();
  for (let turn = 0; turn < 50; turn++) conduct.strike(origin("bad"), "limit");
  assert.equal(conduct.standingOf(origin("bad")), "struck");
  // The same text in another session is the same text.
  assert.equal(conduct.standingOf(origin("bad", "other")), "struck");
  assert.equal(conduct.standingOf(origin("first time")), "new");
  assert.equal(conduct.standingOf(origin("bad", "s", "bob")), "new");
});

Deno.test("a session whose texts keep misbehaving is watched, other sessions are not", () => {
  const { conduct } = conductAt();
  conduct.endedWell(origin("good"));
  for (let turn = 0; turn < 4; turn++) {
    assert.equal(conduct.standingOf(origin(`bad ${turn}`)), "new");
    conduct.strike(origin(`bad ${turn}`), "limit");
  }
  assert.equal(conduct.standingOf(origin("first time")), "watched");
  assert.equal(conduct.standingOf(origin("good")), "known");
  assert.equal(conduct.standingOf(origin("first time", "other")), "new");
});

Deno.test("an attacker who changes text and session is watched, other principals are not", () => {
  const { conduct } = conductAt();
  for (let turn = 0; turn < 12; turn++) {
    assert.equal(conduct.standingOf(origin("first time", "other")), "new");
    conduct.strike(origin(`bad ${turn}`, `session ${turn}`), "limit");
  }
  assert.equal(conduct.standingOf(origin("first time", "other")), "watched");
  assert.equal(conduct.standingOf(origin("first time", "other", "bob")), "new");
});

Deno.test("a bystander's repeated good text does not make up for others of its session", () => {
  const { conduct } = conductAt();
  for (let turn = 0; turn < 4; turn++) {
    for (let run = 0; run < 100; run++) conduct.endedWell(origin("good"));
    conduct.strike(origin(`bad ${turn}`), "limit");
  }
  assert.equal(conduct.standingOf(origin("first time")), "watched");
  for (let run = 0; run < 10; run++) conduct.endedWell(origin(`good ${run}`));
  assert.equal(conduct.standingOf(origin("first time")), "new");
});

Deno.test("a busy text survives rare failures", () => {
  const { conduct } = conductAt();
  for (let failure = 0; failure < 20; failure++) {
    conduct.strike(origin("busy"), "limit");
    assert.notEqual(conduct.standingOf(origin("busy")), "struck");
    for (let run = 0; run < 10; run++) conduct.endedWell(origin("busy"));
    assert.equal(conduct.standingOf(origin("busy")), "known");
  }
});

Deno.test("a text that is cancelled again and again costs hosts too", () => {
  const { conduct } = conductAt();
  for (let turn = 0; turn < 4; turn++) {
    assert.equal(conduct.standingOf(origin("loop")), "new");
    conduct.strike(origin("loop"), "cancelled");
  }
  assert.equal(conduct.standingOf(origin("loop")), "struck");
});

Deno.test("strikes are forgotten a minute after the last, good ends after ten", () => {
  const { conduct, pass } = conductAt();
  conduct.endedWell(origin("good"));
  assert.ok(!conduct.isMixed("alice"), "nothing misbehaved");
  conduct.strike(origin("bad"), "limit");
  assert.ok(conduct.isMixed("alice"));
  pass(59_000);
  conduct.strike(origin("bad"), "limit");
  pass(59_000);
  assert.equal(conduct.standingOf(origin("bad")), "struck");
  assert.ok(!conduct.isMixed("alice"), "nothing ended well within a minute");
  pass(1_000);
  assert.equal(conduct.standingOf(origin("bad")), "new");
  pass(480_000);
  assert.equal(conduct.standingOf(origin("good")), "known");
  pass(1_000);
  assert.equal(conduct.standingOf(origin("good")), "new");
});

Deno.test("the memory of strikes is bounded", () => {
  const { conduct } = conductAt();
  for (let turn = 0; turn < 2; turn++) conduct.strike(origin("bad"), "limit");
  for (let turn = 0; turn < 9_999; turn++) conduct.endedWell(origin(`text ${turn}`));
  assert.equal(conduct.standingOf(origin("bad")), "struck");
  conduct.endedWell(origin("one more"));
  assert.equal(conduct.standingOf(origin("bad")), "new");
});

Deno.test("noteEnd() strikes for a limit that destroyed the host and for a cancelled program alone", () => {
  const noted: string[] = [];
  const conduct = {
    strike: (_origin: ProgramOrigin, cause: string) => void noted.push(cause),
    endedWell: () => void noted.push("well"),
  };
  const cancelled = refusedOutcome("ERR_CANCELLED", LIMITS);
  const limited = refusedOutcome("ERR_SANDBOX_CODE_SIZE", LIMITS);
  noteEnd(conduct, origin("a"), { clean: false, outcome: limited });
  noteEnd(conduct, origin("a"), { clean: true, outcome: limited });
  noteEnd(conduct, origin("a"), { clean: false, outcome: cancelled });
  noteEnd(conduct, origin("a"), {
    clean: true,
    outcome: { ...limited, status: "ok", error: null },
  });
  assert.deepEqual(noted, ["limit", "well", "cancelled", "well"]);
});
