import assert from "node:assert/strict";
import { createLogIntake } from "../../../src/sandbox/run/log_intake.ts";

Deno.test("createLogIntake() keeps lines in order, notes as warnings", () => {
  const logs = createLogIntake(100);
  assert.equal(logs.takeLog("info", "a"), null);
  assert.equal(logs.takeNote("b"), null);
  assert.deepEqual(logs.lines, [{ level: "info", text: "a" }, { level: "warn", text: "b" }]);
});

Deno.test("createLogIntake() counts bytes up to the limit and takes nothing above it", () => {
  const logs = createLogIntake(4);
  assert.equal(logs.takeLog("log", "éé"), null);
  assert.equal(logs.takeLog("log", ""), null);
  assert.equal(logs.takeLog("log", "x"), "ERR_SANDBOX_LOG_SIZE");
  assert.equal(logs.lines.length, 2);
});

Deno.test("createLogIntake() bounds the lines, however short they are", () => {
  const logs = createLogIntake(100);
  let count = 0;
  while (logs.takeLog("log", "") === null) count++;
  assert.equal(count, 2_010);
});

Deno.test("createLogIntake() takes no level and no note that no realm sends", () => {
  const logs = createLogIntake(100_000);
  assert.equal(logs.takeLog("fatal", "a"), "ERR_SANDBOX_PROTOCOL");
  assert.equal(logs.takeNote("x".repeat(2_001)), "ERR_SANDBOX_PROTOCOL");
  for (let count = 1; count < 10; count++) assert.equal(logs.takeNote("x".repeat(2_000)), null);
  assert.equal(logs.takeNote("one more"), "ERR_SANDBOX_PROTOCOL");
});
