import assert from "node:assert/strict";
import { readCalls } from "../../src/operations/read_calls.ts";
import { ADMIN } from "./operation_parts.ts";
import { adminActs, recordCall, withAudit } from "./audit_parts.ts";

Deno.test("readCalls() gives calls with arguments and results, newest first, and records who read them", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", { args: '{"amount":5}' });
    await recordCall(deps.audit, "e1:1", { args: '{"amount":50}', result: '"paid"' });
    await recordCall(deps.audit, "e1:2", { args: '{"amount":500}', tool: "list" });
    const question = { tool: "shop.pay", where: "args.amount > 10", limit: 10 };
    const { calls, ...counts } = await readCalls(deps, ADMIN, question);
    assert.deepEqual(counts, { examined: 2, withoutArguments: 0, more: false });
    assert.deepEqual(
      calls.map(({ call, principal, tool, args, result, effect, because }) => [
        ...[call, principal, tool, args, result, effect],
        ...because,
      ]),
      [["e1:1", "bo", "shop.pay", '{"amount":50}', '"paid"', "allow", "pay"]],
    );
    assert.deepEqual(await adminActs(deps.audit), [
      ["ada", { action: "payloads.read", calls: 1, tool: "shop.pay", where: "args.amount > 10" }],
    ]);
  });
});

Deno.test("readCalls() says of how many calls nobody knows the arguments, and cuts long texts", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    await recordCall(deps.audit, "e1:1", { args: JSON.stringify({ text: "x".repeat(5_000) }) });
    const matching = await readCalls(deps, ADMIN, { where: "args.amount > 1", limit: 10 });
    assert.deepEqual(matching, { calls: [], examined: 2, withoutArguments: 1, more: false });
    const all = await readCalls(deps, ADMIN, { limit: 10 });
    assert.deepEqual(all.calls.map(({ args }) => args?.length), [4_001, undefined]);
    assert.equal(all.calls[1]?.args, null);
  });
});

Deno.test("readCalls() says whether there may be more than the limit", async () => {
  await withAudit(async (deps) => {
    for (const index of [0, 1, 2]) await recordCall(deps.audit, `e1:${index}`, {});
    const moreAt = async (limit: number) => (await readCalls(deps, ADMIN, { limit })).more;
    assert.deepEqual([await moreAt(2), await moreAt(3), await moreAt(4)], [true, false, false]);
  });
});

Deno.test("readCalls() refuses a condition that cannot be read, and has read nothing then", async () => {
  await withAudit(async (deps) => {
    await assert.rejects(readCalls(deps, ADMIN, { where: "args.amount >", limit: 1 }), {
      code: "ERR_BAD_REQUEST",
      message: /^Cannot read the condition: /,
    });
    assert.deepEqual(await adminActs(deps.audit), []);
  });
});

Deno.test("readCalls() gives nothing without its record", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    const append = () => Promise.reject(new Error("The log is full"));
    const broken = { ...deps, audit: { ...deps.audit, append } };
    await assert.rejects(readCalls(broken, ADMIN, { limit: 1 }), /The log is full/);
  });
});
