import assert from "node:assert/strict";
import { recordAdmin } from "../../src/operations/record_admin.ts";
import { BUYER, createTestLog, GROUPS } from "./operation_parts.ts";

Deno.test("recordAdmin() names the act and who did it, in the groups of the policy in force", async () => {
  const audit = createTestLog();
  const deps = { audit, policy: GROUPS };
  const record = await recordAdmin(deps, BUYER, "keys.create", { id: "k1" });
  await recordAdmin(deps, BUYER, "console.login");
  assert.equal(record.seq, 0);
  assert.deepEqual(audit.events, [
    {
      kind: "admin",
      actor: { sub: "bo", iss: "test", client: "test", groups: ["buyers"], scopes: [] },
      detail: { action: "keys.create", id: "k1" },
    },
    { kind: "admin", actor: audit.events[0]?.actor, detail: { action: "console.login" } },
  ]);
});

Deno.test("recordAdmin() fails with the log", async () => {
  const audit = createTestLog();
  audit.breakDown();
  const deps = { audit, policy: GROUPS };
  await assert.rejects(recordAdmin(deps, BUYER, "keys.create"), { code: "ERR_AUDIT_UNAVAILABLE" });
});
