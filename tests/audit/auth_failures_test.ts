import assert from "node:assert/strict";
import { createAuthFailures } from "../../src/audit/auth_failures.ts";
import type { AuditEvent } from "../../src/model/event.ts";

function failuresOf(limits: { recordsMax: number; everyMs: number }) {
  const events: AuditEvent[] = [];
  const written = Promise.withResolvers<void>();
  const failures = createAuthFailures({
    append(event) {
      events.push(event);
      if (event.detail?.more !== undefined) written.resolve();
      return Promise.resolve();
    },
    onError: (error) => written.reject(error),
  }, limits);
  const fail = (path = "/mcp") =>
    failures.record({ path, code: "ERR_UNAUTHENTICATED", message: "No" });
  return { events, failures, fail, counted: written.promise };
}

Deno.test("each failed authentication is a record up to a bound, the others are one record", async () => {
  const { events, failures, fail } = failuresOf({ recordsMax: 3, everyMs: 60_000 });
  for (let n = 0; n < 3; n++) await fail();
  await failures.close();
  assert.equal(events.length, 3);
  for (let n = 0; n < 1_003; n++) await fail();
  await failures.close();
  assert.deepEqual(events.slice(6), [{ kind: "auth.fail", detail: { more: 1_000 } }]);
});

Deno.test("what was counted only is recorded when the span ends, and the next one is whole again", async () => {
  const { events, failures, fail, counted } = failuresOf({ recordsMax: 1, everyMs: 1 });
  // The timer cannot end the span in between: nothing here is awaited.
  const all = [fail(), fail(), fail()];
  const keepAlive = setInterval(() => {}, 1_000);
  await Promise.all(all);
  await counted;
  clearInterval(keepAlive);
  assert.deepEqual(events.map(({ detail }) => detail?.more), [undefined, 2]);
  await fail();
  await failures.close();
  assert.equal(events.length, 3);
});

Deno.test("a path that somebody made long is cut", async () => {
  const { events, failures, fail } = failuresOf({ recordsMax: 1, everyMs: 60_000 });
  await fail(`/${"x".repeat(20_000)}`);
  await failures.close();
  assert.equal(String(events[0]?.detail?.path).length, 200);
});
