import assert from "node:assert/strict";
import { ConfigSchema } from "../../src/config/schema.ts";
import { replayRecorded } from "../../src/operations/replay.ts";
import type { SandboxPool } from "../../src/sandbox/pool/sandbox_pool.ts";
import { catalogParts } from "./catalog_parts.ts";
import { ADMIN, BUYER } from "./operation_parts.ts";
import { actorParts, adminActs, type TestAudit, withAudit } from "./audit_parts.ts";

const { limits } = ConfigSchema.parse({});

/** A sandbox in which every program returns 1; what it was asked to run. */
function replayDeps(parts: TestAudit, closing = new AbortController().signal) {
  const ran: Parameters<SandboxPool["run"]>[0][] = [];
  const run: SandboxPool["run"] = (program) => {
    ran.push(program);
    return Promise.resolve({
      status: "ok",
      resultJson: "1",
      oversize: null,
      logs: [],
      error: null,
      callCount: 0,
      wallMs: 1,
      cpuMs: 1,
    });
  };
  const { view } = catalogParts();
  return { ...parts, ran, limits, view, closing, sandbox: () => Promise.resolve({ run }) };
}

async function recordRun({ audit }: TestAudit, id: string, result: string): Promise<void> {
  const about = { execution: id, space: "default", ...actorParts(BUYER) };
  await audit.append({ ...about, kind: "execution.start" }, { code: JSON.stringify("return 1;") });
  await audit.append({ ...about, kind: "execution.end", result: { status: "ok" } }, { result });
}

Deno.test("replayRecorded() runs the recorded program again and records who asked and the verdict", async () => {
  await withAudit(async (parts) => {
    const deps = replayDeps(parts);
    await recordRun(parts, "e1", "1");
    await recordRun(parts, "e2", "2");
    const { signal } = new AbortController();
    assert.equal((await replayRecorded(deps, ADMIN, "e1", signal)).verdict, "identical");
    assert.equal((await replayRecorded(deps, ADMIN, "e2", signal)).verdict, "diverged");
    assert.deepEqual(deps.ran.map(({ code }) => code), ["return 1;", "return 1;"]);
    assert.ok(deps.ran.every(({ principalKey }) => principalKey.startsWith("replay ")));
    assert.deepEqual(await adminActs(parts.audit), [
      ["ada", { action: "audit.replay", execution: "e2", verdict: "diverged" }],
      ["ada", { action: "audit.replay", execution: "e1", verdict: "identical" }],
    ]);
  });
});

Deno.test("replayRecorded() runs and records nothing of an execution that the log does not know", async () => {
  await withAudit(async (parts) => {
    const deps = replayDeps(parts);
    const { signal } = new AbortController();
    await assert.rejects(replayRecorded(deps, ADMIN, "e1", signal), { code: "ERR_NOT_FOUND" });
    assert.deepEqual([deps.ran, await adminActs(parts.audit)], [[], []]);
  });
});

Deno.test("replayRecorded() is cancelled by a service that closes, and has no verdict then", async () => {
  await withAudit(async (parts) => {
    await recordRun(parts, "e1", "1");
    const deps = replayDeps(parts, AbortSignal.abort());
    const { signal } = new AbortController();
    await assert.rejects(replayRecorded(deps, ADMIN, "e1", signal), { code: "ERR_CANCELLED" });
    assert.deepEqual(await adminActs(parts.audit), []);
  });
});
