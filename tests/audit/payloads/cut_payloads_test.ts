import fc from "fast-check";
import assert from "node:assert/strict";
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import {
  commitPayloads,
  CUT_CHARACTERS,
  cutText,
  isWholeOf,
  matchesCommits,
  unsentArguments,
} from "../../../src/audit/payloads/payload_box.ts";
import { ConfigSchema } from "../../../src/config/schema.ts";
import type { AuditRecord } from "../../../src/model/event.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

const large = JSON.stringify({ text: "ü".repeat(CUT_CHARACTERS) });

Deno.test("unsentArguments() keeps a text whole at the bound and cuts one character more", () => {
  const at = JSON.stringify("x".repeat(CUT_CHARACTERS - 2));
  assert.deepEqual(unsentArguments(at), { args: at });
  const above = unsentArguments(JSON.stringify("x".repeat(CUT_CHARACTERS - 1)));
  assert.equal(above.args, undefined);
  assert.equal(above.cutArgs?.head.length, CUT_CHARACTERS);
  assert.equal(above.cutArgs?.bytes, CUT_CHARACTERS + 1);
});

Deno.test("isWholeOf() is true for the text that was cut and for no other", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const [one, other] = [large + a, large + b];
      assert.equal(isWholeOf(cutText(one), one), true);
      assert.equal(isWholeOf(cutText(one), other), one.toWellFormed() === other.toWellFormed());
    }),
    { numRuns: 10 },
  );
});

Deno.test("the commit of a cut text covers its beginning, its length and its digest", () => {
  const payloads = unsentArguments(large);
  const { event, salted } = commitPayloads({ kind: "call.outcome" }, payloads);
  const record = event as AuditRecord;
  assert.deepEqual(record.args?.bytes, new TextEncoder().encode(large).length);
  assert.equal(record.args?.cut, CUT_CHARACTERS);
  assert.equal(matchesCommits(record, salted), true);
  const [salt, cut] = salted.cutArgs ?? ["", cutText("")];
  for (
    const forged of [
      { ...cut, head: `${cut.head.slice(1)}x` },
      { ...cut, bytes: cut.bytes + 1 },
      { ...cut, sha256: "0".repeat(64) },
    ]
  ) {
    assert.equal(matchesCommits(record, { cutArgs: [salt, forged] }), false);
  }
});

Deno.test("a log with cut payloads verifies, gives them back, and charges what they take", async () => {
  const store = createMemoryStore();
  const charged = new Map<string, number>();
  const log = await openAuditLog({
    store,
    chain: "main",
    keys: createAuditKeys(),
    config: ConfigSchema.parse({}).audit,
    onKept: ({ sub }, bytes) => charged.set(sub, (charged.get(sub) ?? 0) + bytes),
  });
  const actor = { sub: "ada", iss: "keys", client: "k", groups: [], scopes: [] };
  const event = { kind: "call.outcome", actor, result: { status: "ERR_POLICY_DENIED" } } as const;
  const record = await log.append(event, unsentArguments(large));
  const kept = await log.payloads(record);
  assert.equal(kept?.args, undefined);
  assert.deepEqual(kept?.cutArgs, cutText(large));
  const taken = charged.get("ada") ?? 0;
  assert.ok(taken > CUT_CHARACTERS && taken < 2 * CUT_CHARACTERS, `${taken}`);
  await log.append({ ...event, actor: { ...actor, sub: "bob" } }, { args: large.repeat(4) });
  assert.ok((charged.get("bob") ?? 0) > 2_048, "a large payload is charged by what is stored");
  const err = { code: "ERR_UPSTREAM", message: "x".repeat(20_000) };
  await log.append({ ...event, actor: { ...actor, sub: "eve" }, err });
  assert.ok((charged.get("eve") ?? 0) > 20_000, "an error text is charged");
  const report = await log.verify();
  assert.equal(report.ok, true, JSON.stringify(report.firstBad));
  await log.close();
  await store.close();
});
