import assert from "node:assert/strict";
import { createStartFailures } from "../../../src/sandbox/pool/start_failures.ts";

function record() {
  const seen: string[] = [];
  const failures = createStartFailures({
    log: (_level, message) => seen.push(message),
    onRetry: () => seen.push("retry"),
    onGiveUp: (lane) => seen.push(`gave up ${lane}`),
  });
  return { seen, failures };
}

const FAILED = "Cannot start a sandbox host: no";

Deno.test("createStartFailures() gives a lane up at the third failure in a row, and counts anew", () => {
  const { seen, failures } = record();
  for (let count = 0; count < 3; count++) failures.note("slow", "no");
  assert.deepEqual(seen, [FAILED, FAILED, FAILED, "gave up slow"]);
  failures.note("slow", "no");
  assert.equal(seen.length, 5);
  failures.close();
});

Deno.test("createStartFailures() counts the lanes apart, and forgets at a success", () => {
  const { seen, failures } = record();
  failures.note("slow", "no");
  failures.note("slow", "no");
  failures.note("common", "no");
  failures.clear("slow");
  failures.note("slow", "no");
  assert.ok(!seen.some((text) => text.startsWith("gave up")));
  failures.close();
});

Deno.test("createStartFailures() tries again a little later", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const failures = createStartFailures({ log() {}, onRetry: resolve, onGiveUp() {} });
  failures.note("common", "no");
  await promise;
  failures.close();
});

Deno.test("createStartFailures() logs the words of a dying host without control characters", () => {
  const { seen, failures } = record();
  failures.note("common", `a\u001b[31m\nb${"x".repeat(1_000)}`);
  assert.match(seen[0]!, /^Cannot start a sandbox host: a \[31m bx+$/);
  assert.ok(seen[0]!.length < 600);
  failures.close();
});
