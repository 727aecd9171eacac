import assert from "node:assert/strict";
import { openStore } from "../../src/store/open_store.ts";
import { queryAudit } from "../../src/audit/audit_query.ts";
import { startCountingUpstream } from "../fakes/counting_upstream.ts";
import { startService } from "../fakes/service.ts";

Deno.test("after kill -9 in the middle of 200 calls, every call the upstream saw has its intent", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-kill-" });
  const middle = Promise.withResolvers<void>();
  const upstream = startCountingUpstream((count) => {
    if (count === 90) middle.resolve();
  });
  const storeUrl = `kv:${folder}/toolgate.kv`;
  const config = {
    server: { port: 0 },
    store: storeUrl,
    policies: "open",
    preflight: "off",
    mcpServers: { counter: { url: upstream.url } },
  };
  try {
    const service = await startService(folder, config);
    const code = `
      await Promise.all(Array.from({ length: 200 }, (_, i) => tools.counter.touch({ i })));
      return "all";`;
    const run = fetch(`${service.url}/api/v1/execute`, {
      method: "POST",
      headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
      body: JSON.stringify({ code }),
    }).then((response) => response.text(), () => "connection lost");
    await middle.promise;
    await service.kill();
    await run;

    assert.ok(upstream.received.length >= 90);
    assert.equal(
      new Set(upstream.received).size,
      upstream.received.length,
      "no call was made twice",
    );
    const store = await openStore(storeUrl);
    try {
      const { records } = await queryAudit(store, { kind: "call.intent", limit: 1_000 });
      const intents = new Set(records.map((record) => record.call));
      assert.deepEqual(upstream.received.filter((key) => !intents.has(key)), []);
    } finally {
      await store.close();
    }

    // The next start closes what the crash left open, and says that nobody knows.
    const again = await startService(folder, config);
    const response = await fetch(`${again.url}/api/v1/audit?kind=call.outcome&limit=1000`, {
      headers: { authorization: `Bearer ${again.token}` },
    });
    const { records } = await response.json() as { records: { call: string }[] };
    const outcomes = new Set(records.map((record) => record.call));
    assert.deepEqual(upstream.received.filter((key) => !outcomes.has(key)), []);
    assert.equal((await again.stop()).code, 0);
  } finally {
    await upstream.close();
    await Deno.remove(folder, { recursive: true });
  }
});
