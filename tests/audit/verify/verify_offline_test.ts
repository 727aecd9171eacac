import assert from "node:assert/strict";
import { exportAudit } from "../../../src/audit/export/export_audit.ts";
import { startShipping } from "../../../src/audit/ship/ship.ts";
import { verifyOffline } from "../../../src/audit/verify/verify_offline.ts";
import { AuditSchema } from "../../../src/config/schema.ts";
import { GateError } from "../../../src/model/errors.ts";
import { makeAuditFolder, writeExecutions } from "../audit_fixture.ts";

Deno.test("verifyOffline() checks an export and a folder of segments with the public key file", async () => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open();
  const shipping = startShipping(
    {
      store,
      signNote: log.signNote,
      resolveSecrets: (text) => Promise.resolve(text),
      log: () => {},
      retentionMs: 90 * 86_400_000,
    },
    AuditSchema.parse({
      ship: [{ to: `file:${audit.folder}/out` }, { to: `file:${audit.folder}/cef`, format: "cef" }],
    }).ship,
  );
  for (let round = 0; round < 3; round++) {
    await writeExecutions(log, 5);
    await log.checkpoint();
    await shipping.flush();
  }
  const path = `${audit.folder}/all.jsonl`;
  const bytes = await Array.fromAsync(exportAudit(log.records(), "jsonl"));
  await Deno.writeFile(path, await new Blob(bytes).bytes());
  await shipping.close();
  await log.append({ kind: "admin" });
  await log.close();
  await store.close();
  const keys = [`${audit.keysPath}.signing.pub`];
  const anchors = [`${audit.keysPath}.checkpoints`];
  const whole = await verifyOffline(path, keys);
  assert.equal(whole.ok, true);
  assert.equal(whole.chain?.chains[0]?.anchored, null);
  // The service went on to a last checkpoint: the anchor knows more than the export holds.
  const cut = await verifyOffline(path, keys, anchors);
  assert.equal(cut.chain?.firstBad?.kind, "truncated");
  const folder = await verifyOffline(`${audit.folder}/out`, keys);
  assert.equal(folder.ok, true);
  assert.equal(folder.segments?.segments, 3);
  assert.equal(folder.chain?.records, whole.chain?.records);
  const cef = await verifyOffline(`${audit.folder}/cef`, keys);
  assert.deepEqual([cef.ok, cef.chain, cef.segments?.segments], [true, null, 3]);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"amount"', '"amouns"').replace("e3:1", "e3:7"));
  const edited = await verifyOffline(path, keys);
  assert.equal(edited.ok, false);
  await assert.rejects(verifyOffline(`${audit.folder}/none`, keys), GateError);
  await assert.rejects(verifyOffline(path, [path]), (error) => {
    return error instanceof GateError && error.code === "ERR_CONFIG";
  });
  await audit.remove();
});
