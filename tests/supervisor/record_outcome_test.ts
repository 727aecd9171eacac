import assert from "node:assert/strict";
import type { AuditEvent } from "../../src/model/event.ts";
import { recordOutcome } from "../../src/supervisor/call/record_outcome.ts";
import type { ExecutionContext } from "../../src/supervisor/execution_context.ts";

Deno.test("recordOutcome() records hundredths of milliseconds, not the noise of the clock", async () => {
  const events: AuditEvent[] = [];
  const recorded: Promise<unknown>[] = [];
  const context = { program: null, recorded } as unknown as ExecutionContext;
  const append = (event: AuditEvent) => {
    events.push(event);
    return Promise.reject(new Error("not kept"));
  };
  recordOutcome({ now: () => 0, audit: { append } }, context, {
    kind: "call.outcome",
    ms: { total: 116.89299699999901, policy: 0.004999 },
  });
  assert.deepEqual(events[0]?.ms, { total: 116.89, policy: 0 });
  assert.equal(events[0]?.detail?.classic, true);
  await assert.rejects(Promise.all(recorded), /not kept/);
});
