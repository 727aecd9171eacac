import assert from "node:assert/strict";
import { renderAuditReport } from "../../../src/audit/verify/verify_audit.ts";
import { makeAuditFolder } from "../audit_fixture.ts";

Deno.test("after kill -9 every call that acted has its intent, and open calls get an outcome", async () => {
  const audit = await makeAuditFolder();
  const effects = `${audit.folder}/effects`;
  for (let round = 0; round < 2; round++) {
    await Deno.writeTextFile(effects, "");
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--cached-only",
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-sys",
        new URL("./crash_child.ts", import.meta.url).pathname,
        audit.storePath,
        audit.keysPath,
        effects,
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read(); // says when hundreds of calls were made
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const acted = (await Deno.readTextFile(effects)).trim().split("\n");
    assert.ok(acted.length >= 300, `${acted.length} calls`);
    const { store, log } = await audit.open();
    const intents = new Set<string>();
    const unknown = new Set<string>();
    let after: string | undefined;
    do {
      const page = await log.query({ limit: 10_000, ...(after === undefined ? {} : { after }) });
      for (const { kind, call = "", result } of page.records) {
        if (kind === "call.intent") intents.add(call);
        if (result?.status === "unknown") unknown.add(call);
      }
      after = page.next;
    } while (after !== undefined);
    for (const call of acted) assert.ok(intents.has(call), `${call} acted without an intent`);
    const hanging = [...unknown].filter((call) => call.endsWith("-hanging:0"));
    assert.equal(hanging.length, round + 1);
    assert.ok(unknown.size <= 33 * (round + 1), `${unknown.size} unknown`);
    const report = await log.verify();
    assert.equal(report.ok, true, renderAuditReport(report));
    assert.deepEqual(report.chains[0]?.open, []);
    await log.close();
    await store.close();
  }
  await audit.remove();
});
