import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { postgresCode, postgresError } from "../../../src/store/postgres/error.ts";

const failure = (code: string, message = "") => Object.assign(new Error(message), { code });

Deno.test("the engine's code is read from an error that has one", () => {
  assert.equal(postgresCode(failure("23505")), "23505");
  assert.equal(postgresCode(Object.assign(new Error("x"), { code: 7 })), "");
  assert.equal(postgresCode(new Error("x")), "");
  assert.equal(postgresCode({ code: "23505" }), "");
});

Deno.test("each cause has its remedy, and the code stands in for an empty message", () => {
  const hintOf = (error: unknown) => (postgresError("open", error) as GateError).hint;
  assert.match(hintOf(failure("28P01", "password authentication failed")), /user and password/);
  assert.match(hintOf(failure("3D000", 'database "x" does not exist')), /Create the database/);
  assert.match(hintOf(failure("42501", "permission denied")), /Grant/);
  assert.match(hintOf(failure("25006", "read-only transaction")), /Name the primary/);
  assert.match(hintOf(failure("53100", "No space left on device")), /Free disk space/);
  assert.match(hintOf(failure("ECONNREFUSED")), /Start the database server/);
  assert.match(hintOf("something else"), /doctor/);
  const { message } = postgresError("read", failure("ECONNREFUSED")) as GateError;
  assert.equal(message, "Cannot read the store: ECONNREFUSED");
});

Deno.test("errors that already say what to do, and mistakes of the caller, stay as they are", () => {
  const known = new GateError("ERR_STORE", "known", { hint: "h" });
  const mistake = new RangeError("key");
  assert.equal(postgresError("write", known), known);
  assert.equal(postgresError("write", mistake), mistake);
});
