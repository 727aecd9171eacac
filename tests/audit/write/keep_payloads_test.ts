import assert from "node:assert/strict";
import { commitOf, type KeptPayloads } from "../../../src/audit/payloads/payload_box.ts";
import { SHARED_CHARACTERS_MAX } from "../../../src/audit/payloads/payload_store.ts";
import { keepPayloads } from "../../../src/audit/write/keep_payloads.ts";
import { GateError } from "../../../src/model/errors.ts";
import type { AuditEvent } from "../../../src/model/event.ts";

const OUTCOME: AuditEvent = { kind: "call.outcome", call: "e:0" };
const LARGE = { args: JSON.stringify("x".repeat(SHARED_CHARACTERS_MAX)) };

function deps(large: () => Promise<KeptPayloads>, keepsPayloads = true) {
  const lines: string[] = [];
  return {
    payloadStore: {
      keep: (salted: KeptPayloads) =>
        "args" in salted && (salted.args?.[1].length ?? 0) > SHARED_CHARACTERS_MAX
          ? large()
          : salted,
    },
    keepsPayloads,
    log: (line: string) => lines.push(line),
    lines,
  };
}

const away = () => Promise.reject(new Error("the store is away"));

Deno.test("small payloads are committed to and kept at once", () => {
  const kept = keepPayloads(deps(away), OUTCOME, { args: "[1]", result: "2" });
  assert.ok(!(kept instanceof Promise) && kept.payloads !== null && "args" in kept.payloads);
  const [salt, text] = kept.payloads.args ?? [];
  assert.equal(text, "[1]");
  assert.deepEqual(kept.event.args, commitOf(`${salt}`, "[1]"));
  assert.equal(kept.event.result?.bytes, 1);
  assert.deepEqual(keepPayloads(deps(away), OUTCOME, undefined), {
    event: OUTCOME,
    payloads: null,
  });
});

Deno.test("payloads that are not kept are committed to anyway, small and large", async () => {
  const off = deps(away, false);
  const small = await keepPayloads(off, OUTCOME, { args: "[1]" });
  const large = await keepPayloads(off, OUTCOME, LARGE);
  assert.deepEqual([small.payloads, large.payloads], [null, null]);
  assert.deepEqual([small.event.args?.bytes, large.event.args?.bytes], [3, LARGE.args.length]);
  assert.deepEqual(off.lines, []);
});

Deno.test("a large payload that cannot be stored refuses an intent, and an outcome says so", async () => {
  const failing = deps(away);
  await assert.rejects(
    async () => await keepPayloads(failing, { kind: "call.intent" }, LARGE),
    (error) => error instanceof GateError && error.code === "ERR_AUDIT_UNAVAILABLE",
  );
  assert.deepEqual(failing.lines, []);
  const { event, payloads } = await keepPayloads(failing, OUTCOME, LARGE);
  assert.deepEqual([event.detail, payloads], [{ payload: "not kept" }, null]);
  assert.equal(event.args?.bytes, LARGE.args.length);
  assert.deepEqual(failing.lines, ["audit: the store is away"]);
});
