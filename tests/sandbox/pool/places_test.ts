import assert from "node:assert/strict";
import type { ProgramOrigin, Standing } from "../../../src/sandbox/pool/conduct.ts";
import { createPlaces } from "../../../src/sandbox/pool/places.ts";

interface Around {
  readonly standing?: Standing;
  readonly isMixed?: boolean;
  readonly others?: boolean;
  readonly otherSessions?: boolean;
}

function placesOf(placesMax: number, around: Around = {}) {
  return createPlaces({
    placesMax,
    conduct: {
      standingOf: ({ codeSha256 }) => codeSha256 === "known" ? "known" : around.standing ?? "new",
      isMixed: () => around.isMixed ?? false,
    },
    recent: {
      hasOtherPrincipals: () => around.others ?? false,
      hasOtherSessions: () => around.otherSessions ?? false,
    },
  });
}

function origin(principalKey: string, session = "s", codeSha256 = "text"): ProgramOrigin {
  return { principalKey, session, codeSha256 };
}

/** How many programs of this origin fit one after the other. */
function fill(places: ReturnType<typeof createPlaces>, of: ProgramOrigin): number {
  let count = 0;
  while (places.admits(of)) {
    places.take(of);
    count++;
  }
  return count;
}

Deno.test("createPlaces() gives a principal that is alone every place, and no more", () => {
  const places = placesOf(8);
  assert.equal(fill(places, origin("alice")), 8);
  assert.deepEqual([places.taken, places.free], [8, 0]);
  assert.ok(!places.admits(origin("bob")));
});

Deno.test("createPlaces() has a place again when a program has ended", () => {
  const places = placesOf(1);
  const leave = places.take(origin("alice"));
  assert.ok(!places.admits(origin("alice")));
  leave();
  leave();
  assert.deepEqual([places.taken, places.admits(origin("alice"))], [0, true]);
});

Deno.test("createPlaces() keeps a quarter for other principals while there are some", () => {
  const places = placesOf(8, { others: true });
  assert.equal(fill(places, origin("alice")), 6);
  assert.equal(fill(places, origin("bob")), 2);
  assert.equal(fill(placesOf(3, { others: true }), origin("alice")), 3);
});

Deno.test("createPlaces() keeps a quarter of a principal's places for its other sessions", () => {
  const places = placesOf(16, { others: true, otherSessions: true });
  assert.equal(fill(places, origin("alice", "one")), 9);
  assert.equal(fill(places, origin("alice", "two")), 3);
});

Deno.test("createPlaces() keeps a quarter for known programs of a principal that misbehaves", () => {
  const places = placesOf(8, { isMixed: true });
  assert.equal(fill(places, origin("alice", "s", "text")), 6);
  assert.equal(fill(places, origin("alice", "s", "known")), 2);
});
