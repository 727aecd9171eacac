import assert from "node:assert/strict";
import type { AuditFilter } from "../../src/audit/audit_query.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { countUsage } from "../../src/operations/usage.ts";

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

function usageDeps() {
  const asked: AuditFilter[] = [];
  return {
    asked,
    usdPerMillionTokens: 3,
    now: () => NOW,
    audit: {
      records(filter: AuditFilter = {}) {
        asked.push(filter);
        return ReadableStream.from<AuditRecord>([]);
      },
    },
  };
}

Deno.test("countUsage() is about thirty days up to now unless a period is named", async () => {
  const deps = usageDeps();
  const { since, until, by, usdPerMillionTokens } = await countUsage(deps, { by: "tool" });
  assert.deepEqual([since, until], [NOW + 1 - 30 * DAY_MS, NOW + 1]);
  assert.deepEqual([by, usdPerMillionTokens], ["tool", 3]);
  assert.equal((await countUsage(deps, { by: "tool", until: DAY_MS })).since, 0, "not before 1970");
  assert.deepEqual(deps.asked, [{ since, until }, { since: 0, until: DAY_MS }]);
});

Deno.test("countUsage() refuses a period that holds nothing, and reads no record for it", async () => {
  const deps = usageDeps();
  for (const since of [5, 6]) {
    await assert.rejects(countUsage(deps, { by: "tool", since, until: 5 }), {
      code: "ERR_BAD_REQUEST",
    });
  }
  await countUsage(deps, { by: "tool", since: 4, until: 5 });
  assert.equal(deps.asked.length, 1);
});
