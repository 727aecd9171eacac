import assert from "node:assert/strict";
import { startService } from "../fakes/service.ts";

Deno.test("a rejection and exceptions that nobody waits for do not end the service", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-stray-" });
  try {
    const service = await startService(folder, {
      server: { port: 0 },
      store: `kv:${folder}/toolgate.kv`,
      mcpServers: {},
    }, { entry: "tests/fakes/stray_service.ts" });
    const execution = await fetch(`${service.url}/api/v1/execute`, {
      method: "POST",
      headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
      body: JSON.stringify({ code: "return 42;" }),
    });
    assert.equal((await execution.json() as { result: unknown }).result, 42);
    const ready = await fetch(`${service.url}/readyz`);
    const { strayErrors } = await ready.json() as { strayErrors: { count: number } };
    assert.deepEqual([ready.status, strayErrors.count], [200, 3]);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    assert.match(metrics, /toolgate_stray_errors_total\{origin="promise"\} 1/);
    assert.match(metrics, /toolgate_stray_errors_total\{origin="exception"\} 2/);
    assert.equal((await service.stop()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
