import assert from "node:assert/strict";
import { ConfigSchema } from "../../src/config/schema.ts";
import { AttackReportSchema } from "../../src/http/api/answers/service_answers.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import { createAttack } from "../../src/operations/attack.ts";
import { defaultPolicy } from "../../src/policy/builtin_policies.ts";
import type { SandboxPool } from "../../src/sandbox/pool/sandbox_pool.ts";
import type { SandboxProgram } from "../../src/sandbox/pool/waiting_program.ts";
import type { SandboxCall } from "../../src/sandbox/run/sandbox_call.ts";
import type { SandboxOutcome } from "../../src/sandbox/run/outcome.ts";
import { withApp } from "../fakes/app.ts";
import { ANNA } from "../fakes/upstream_parts.ts";

const { limits } = ConfigSchema.parse({});

const outcome = (resultJson: string): SandboxOutcome => ({
  status: "ok",
  resultJson,
  oversize: null,
  logs: [],
  error: null,
  callCount: 0,
  wallMs: 1,
  cpuMs: 1,
});

/** A sandbox in which every program ends well, which an attack must not. */
function tooKind(asked: { programs: SandboxProgram[]; answers: unknown[] }) {
  const pool: Pick<SandboxPool, "run" | "status"> = {
    async run(program, onCall) {
      asked.programs.push(program);
      const call: SandboxCall = {
        index: 0,
        server: "orders",
        tool: "list",
        args: {},
        argsBytes: 2,
        signal: new AbortController().signal,
      };
      asked.answers.push(await onCall(call));
      return outcome("1");
    },
    status: () => ({ isolation: "worker" }) as ReturnType<SandboxPool["status"]>,
  };
  return pool as SandboxPool;
}

function service(pool: SandboxPool, events: AuditEvent[]) {
  return createAttack({
    sandbox: () => Promise.resolve(pool),
    limits,
    policy: { current: defaultPolicy },
    audit: { append: (event) => (events.push(event), Promise.reject(new Error("unused"))) },
  });
}

Deno.test("an attack needs its record first", async () => {
  const asked = { programs: [], answers: [] };
  const attack = service(tooKind(asked), []);
  await assert.rejects(attack(ANNA), /unused/);
  assert.deepEqual(asked.programs, []);
});

Deno.test("attacks that a sandbox lets through are failures, and no real tool is in reach", async () => {
  const asked: Parameters<typeof tooKind>[0] = { programs: [], answers: [] };
  const events: AuditEvent[] = [];
  const attack = createAttack({
    sandbox: () => Promise.resolve(tooKind(asked)),
    limits,
    policy: { current: defaultPolicy },
    audit: { append: (event) => (events.push(event), Promise.resolve({ ...event } as never)) },
  });
  const [first, second] = await Promise.allSettled([attack(ANNA), attack(ANNA)]);
  assert.equal(second.status, "rejected", "one at a time");
  assert.equal(second.status === "rejected" && second.reason.code, "ERR_BUSY");
  assert.ok(first.status === "fulfilled");
  assert.equal(first.value.ok, false);
  assert.ok(first.value.attacks.length > 9);
  assert.deepEqual(AttackReportSchema.parse(first.value), first.value, "as the document says");
  assert.ok(asked.answers.every((answer) => !(answer as { ok: boolean }).ok));
  assert.ok(asked.programs.every(({ principalKey }) => !principalKey.includes("anna")));
  assert.deepEqual(events.map(({ detail }) => detail?.action), ["attack.start", "attack.end"]);
  assert.equal((await attack(ANNA)).ok, false, "and again afterwards");
});

Deno.test("POST /attack needs scope admin", async () => {
  await withApp({ auth: "keys" }, async ({ ask, json }) => {
    const body = { name: "reader", scopes: ["search", "execute", "audit"] };
    const { key } = await json<{ key: string }>("POST", "/keys", body);
    const response = await ask("POST", "/attack", undefined, key);
    assert.equal(response.status, 403);
    await response.body?.cancel();
  });
});
