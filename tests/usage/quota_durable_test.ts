import assert from "node:assert/strict";
import type { LimitRule } from "../../src/model/limit_rule.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { createQuotas } from "../../src/usage/quota.ts";

Deno.test("once the intents of 64 calls are durable, so are all counters they reserved", async () => {
  const folder = await Deno.makeTempDir();
  const store = await openKvStore(`${folder}/a.kv`);
  try {
    const quotas = createQuotas({ store, now: Date.now });
    const common = { tools: null, for: null, over: "deny", by: "owner", message: "" } as const;
    const rules: LimitRule[] = [
      { id: "run", per: "execution", max: 10, unit: "calls", everyMs: null, ...common },
      { id: "mine", per: "user", max: 10, unit: "calls", everyMs: 604_800_000, ...common },
      { id: "all", per: "tenant", max: 1_000, unit: "calls", everyMs: 604_800_000, ...common },
    ];
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        quotas.reserve(rules, {
          execution: `e${index}`,
          principal: { issuer: "test", sub: `u${index}` },
          groups: [],
          spaces: ["default"],
          args: {},
          usd: 0,
        })),
    );
    assert.ok(answers.every(({ ok }) => ok));
    const entries = answers.map((_, seq) => ({
      log: "replica",
      seq,
      ts: Date.now(),
      principal: "p",
      tool: "t",
      execution: `e${seq}`,
      body: "{}",
    }));
    await store.append(entries);
    // What a kill at this moment would leave behind.
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith("a.kv") && !name.includes("lock")) {
        await Deno.copyFile(`${folder}/${name}`, `${folder}/${name.replace("a.kv", "b.kv")}`);
      }
    }
    const after = await openKvStore(`${folder}/b.kv`);
    try {
      let missing = 0;
      for (const answer of answers) {
        if (!answer.ok) continue;
        for (const { key, rule } of answer.reservation.entries) {
          const { value } = await after.add(key, 0);
          if (value < (rule.per === "tenant" ? 64 : 1)) missing++;
        }
      }
      assert.equal(missing, 0);
    } finally {
      await after.close();
    }
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
