import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { commitKv, readKv, storeError } from "../../../src/store/kv/commit.ts";

/** An operation that fails as often as there are errors. */
function failing(errors: Error[]): { operation: Deno.AtomicOperation; commits: () => number } {
  let commits = 0;
  const commit = () => {
    commits++;
    const error = errors.shift();
    return error === undefined
      ? Promise.resolve({ ok: true, versionstamp: "1" })
      : Promise.reject(error);
  };
  return { operation: { commit } as unknown as Deno.AtomicOperation, commits: () => commits };
}

Deno.test("a commit is tried again while the database is locked for a moment", async () => {
  const { operation, commits } = failing([
    new Error("database is locked"),
    new Error("database is locked"),
  ]);
  assert.deepEqual(await commitKv(operation), { ok: true, versionstamp: "1" });
  assert.equal(commits(), 3);
});

Deno.test("any other failure of a commit is told at once, with what to do", async () => {
  const { operation, commits } = failing([new Error("database or disk is full")]);
  await assert.rejects(commitKv(operation), {
    code: "ERR_STORE",
    message: "Cannot write the store: database or disk is full",
    hint: /Free disk space/,
  });
  assert.equal(commits(), 1);
});

Deno.test("readKv() hands on an answer, and names a failure", async () => {
  assert.equal(await readKv(() => Promise.resolve(7)), 7);
  await assert.rejects(readKv(() => Promise.reject(new Error("file is not a database"))), {
    code: "ERR_STORE",
    message: /Cannot read the store/,
    hint: /restore a backup/,
  });
});

Deno.test("errors that already say what to do, and mistakes of the caller, stay as they are", () => {
  const known = new GateError("ERR_STORE", "known", { hint: "h" });
  const mistake = new RangeError("key");
  assert.equal(storeError("read", known), known);
  assert.equal(storeError("read", mistake), mistake);
});

Deno.test("each cause has its remedy, an unknown one a general one", () => {
  const hintOf = (reason: unknown) => (storeError("open", reason) as GateError).hint;
  assert.match(hintOf(new Error("database is locked")), /one writer/);
  assert.match(hintOf(new Error("attempt to write a readonly database")), /the right to write/);
  assert.match(hintOf(new Error("Bad resource ID")), /was closed/);
  assert.match(hintOf("something else"), /doctor/);
});
