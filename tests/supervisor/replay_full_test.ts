import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import type { ReplayReport } from "../../src/supervisor/program/replay.ts";
import { type TestApp, withApp } from "../fakes/app.ts";

const POLICY = `
version: 1
name: replays
tools:
  orders: { read: [list, get], write: [update], destructive: [delete] }
  customers: { read: [get], destructive: [delete] }
rules:
  - { id: read, allow: read }
  - { id: note, allow: write, tools: [orders.update], when: 'args.id != "ord-00002"' }
`;

function replay(test: TestApp, execution: string): Promise<ReplayReport> {
  return test.json("POST", `/audit/replay/${execution}`);
}

async function runAndReplay(
  test: TestApp,
  code: string,
  options?: { readonly [name: string]: unknown },
): Promise<{ status: string; report: ReplayReport }> {
  const { executionId, status } = await test.execute(code, options);
  return { status, report: await replay(test, executionId) };
}

/** Programs and how they end; each must replay exactly. */
const PROGRAMS: { readonly [name: string]: readonly [code: string, status: string] } = {
  "clock, randomness and timers": [
    `const seen = [Date.now(), Math.random(), crypto.randomUUID(), performance.now()];
     await tools.orders.get({ id: "ord-00001" });
     await sleep(20);
     return [...seen, new Date().toISOString(), Math.random()];`,
    "ok",
  ],
  "parallel calls and what came first": [
    `const order = [];
     await Promise.all(["ord-00001", "ord-00002", "ord-00003", "ord-00004"].map(async (id, n) => {
       const found = await tools.orders.get({ id });
       order.push(found.id);
       if (n % 2) order.push((await tools.customers.get({ id: found.customerId })).id);
     }));
     return order;`,
    "ok",
  ],
  "a race against a timer": [
    `const first = await Promise.race([
       tools.orders.list({ since: "2026-01-01" }).then(() => "call"),
       sleep(2_000).then(() => "timer"),
     ]);
     return [first, Date.now()];`,
    "ok",
  ],
  "errors that the program reads": [
    `const told = [];
     for (const call of [
       () => tools.orders.get({ id: "none" }),
       () => tools.orders.get({ id: 5 }),
       () => tools.orders.nothing({}),
       () => tools.customers.delete({ id: "cus-00001" }),
     ]) {
       try { await call(); } catch (error) {
         told.push([error.code, error.tool, error.message, error.hint]);
       }
     }
     return told;`,
    "ok",
  ],
  "searches of its own": [
    `const hits = await tools.$search("list orders");
     const wrong = await tools.$search(5).catch((error) => error.hint);
     return [hits.map((hit) => hit.name), await tools.$describe(hits[0].name), wrong];`,
    "ok",
  ],
  "a denied call that nobody catches": [
    `await tools.orders.get({ id: "ord-00001" }); 
     return await tools.orders.update({ id: "ord-00002", note: "no" });`,
    "denied",
  ],
  "an error of its own": [`throw new TypeError("not " + Math.random())`, "error"],
  "a syntax error": ["const = 5", "error"],
  "nothing to return": ["await tools.orders.get({ id: 'ord-00001' });", "ok"],
};

Deno.test("programs replay exactly, whatever they draw, race or catch", async (t) => {
  await withApp({ policy: POLICY, preflight: "off" }, async (test) => {
    for (const [name, [code, wanted]] of Object.entries(PROGRAMS)) {
      await t.step(name, async () => {
        const { status, report } = await runAndReplay(test, code);
        assert.equal(status, wanted);
        assert.equal(report.verdict, "identical", JSON.stringify(report.divergence));
        assert.equal(report.divergence, null);
        assert.equal(report.calls.matched, report.calls.recorded);
        assert.ok(report.seeded);
      });
    }
  });
});

Deno.test("a dry run, a write and a timeout replay without reaching an upstream", async () => {
  await withApp({ policy: POLICY, preflight: "off" }, async (test) => {
    const write = `return await tools.orders.update({ id: "ord-00001", note: "once" })`;
    const dry = await runAndReplay(test, write, { dryRun: true });
    assert.equal(dry.report.verdict, "identical", JSON.stringify(dry.report));
    const made = await test.execute(write);
    const undo = `await tools.orders.update({ id: "ord-00001", note: "later" })`;
    await test.execute(undo);
    assert.equal((await replay(test, made.executionId)).verdict, "identical");
    const note = await test.execute(`return (await tools.orders.get({ id: "ord-00001" })).note`);
    assert.equal(note.result, "later");
    const slow = await runAndReplay(test, "await sleep(60_000)", { timeoutMs: 100 });
    assert.equal(slow.status, "timeout");
    assert.equal(slow.report.verdict, "identical", JSON.stringify(slow.report));
  });
});

Deno.test("a replay writes one record that says who looked, and nothing else", async () => {
  await withApp({ preflight: "off" }, async (test) => {
    const { executionId } = await test.execute(`return (await tools.orders.list({})).length`);
    const all = async () =>
      (await test.json<{ records: AuditRecord[] }>("GET", "/audit?limit=1000")).records;
    const before = await all();
    await replay(test, executionId);
    const after = await all();
    assert.equal(after.length, before.length + 1);
    assert.deepEqual([after[0]?.kind, after[0]?.detail], ["admin", {
      action: "audit.replay",
      execution: executionId,
      verdict: "identical",
    }]);
    assert.equal(after[0]?.actor?.client, "cli");
  });
});

Deno.test("a replay needs scope auditor", async () => {
  await withApp({ auth: "keys", preflight: "off" }, async (test) => {
    const { executionId } = await test.execute("return 1");
    const keyOf = async (scope: string) =>
      (await test.json<{ key: string }>("POST", "/keys", { name: scope, scopes: [scope] })).key;
    const ask = async (key: string, id: string) => {
      const response = await test.ask("POST", `/audit/replay/${id}`, undefined, key);
      await response.body?.cancel();
      return response.status;
    };
    const auditor = await keyOf("auditor");
    assert.equal(await ask(await keyOf("audit"), executionId), 403);
    assert.equal(await ask(auditor, executionId), 200);
    assert.equal(await ask(auditor, "no-such-execution"), 404);
  });
});

Deno.test("without payloads a replay says what is missing and how to keep it", async () => {
  await withApp({ audit: { payloads: "off" }, preflight: "off" }, async (test) => {
    const { executionId } = await test.execute(`return (await tools.orders.list({})).length`);
    const response = await test.ask("POST", `/audit/replay/${executionId}`);
    assert.equal(response.status, 404);
    const { title, hint } = await response.json();
    assert.match(title, /Cannot replay .+: The program is not kept any more; .+ and 1 more/);
    assert.match(hint, /audit\.payloads.+payloadRetentionDays/);
  });
});

Deno.test("what never ran cannot be replayed, and the error says so", async () => {
  await withApp({ preflight: "block" }, async (test) => {
    const blocked = await test.execute(`return await tools.orders.get({ id: 5 })`);
    assert.equal(blocked.error?.code, "ERR_PREFLIGHT");
    const response = await test.ask("POST", `/audit/replay/${blocked.executionId}`);
    assert.equal(response.status, 400);
    assert.match((await response.json()).title, /nothing ran \(ERR_PREFLIGHT\)/);
  });
});
