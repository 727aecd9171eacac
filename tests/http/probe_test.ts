import assert from "node:assert/strict";
import { createProbe } from "../../src/http/probe.ts";

Deno.test("a probe answers what it asked, and why it could not", async () => {
  assert.deepEqual(await createProbe(() => Promise.resolve(7))(), { ok: true, value: 7 });
  const failing = createProbe(() => Promise.reject(new Error("no disk")));
  assert.deepEqual(await failing(), { ok: false, reason: "no disk" });
});

Deno.test("a probe of a part that hangs answers soon, asks once, and is green again by itself", async () => {
  let asked = 0;
  const hanging = Promise.withResolvers<string>();
  const probe = createProbe(() => {
    asked++;
    return hanging.promise;
  });
  for (const answer of await Promise.all([probe(20), probe(20), probe(20)])) {
    assert.match(answer.ok ? "" : answer.reason, /^it has not answered for \d+ ms$/);
  }
  assert.equal((await probe(20)).ok, false);
  assert.equal(asked, 1);
  hanging.resolve("there");
  assert.deepEqual(await probe(), { ok: true, value: "there" });
  assert.deepEqual(await probe(), { ok: true, value: "there" });
  assert.equal(asked, 2);
});

Deno.test("a question that is never answered is given up, and such questions are bounded", async () => {
  let now = 0;
  let asked = 0;
  let works = false;
  const never = new Promise<string>(() => {});
  const probe = createProbe(() => {
    asked++;
    return works ? Promise.resolve("there") : never;
  }, { now: () => now });
  for (let round = 0; round < 10; round++) {
    assert.equal((await probe(1)).ok, false);
    now += 20_000;
  }
  assert.equal(asked, 3);

  asked = 0;
  const other = createProbe(() => {
    asked++;
    return works ? Promise.resolve("there") : never;
  }, { now: () => now });
  assert.equal((await other(1)).ok, false);
  works = true;
  now += 20_000;
  assert.deepEqual(await other(), { ok: true, value: "there" });
  assert.equal(asked, 2);
});
