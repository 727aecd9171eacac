/** One credential, good and bad programs, over the whole service: who waits for whom. */
import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";

const ENDLESS = "for (;;);";

Deno.test("a bad program does not slow down others of the same credential", async () => {
  const limits = { cpuTimeMs: 30_000, wallTimeMs: 60_000 };
  await withApp({ limits, preflight: "off" }, async ({ execute, app }) => {
    for (let turn = 0; turn < 2; turn++) {
      const struck = await execute(ENDLESS, { timeoutMs: 300 });
      assert.equal(struck.error?.code, "ERR_SANDBOX_WALL_TIME");
    }
    let ended = 0;
    const stop = new AbortController();
    const endless = [ENDLESS, ENDLESS, ENDLESS, "await sleep(50_000)"].map(async (code) => {
      const request = new Request("http://127.0.0.1/api/v1/execute", {
        method: "POST",
        headers: {
          authorization: `Bearer ${app.localToken}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ code }),
        signal: stop.signal,
      });
      await app.fetch(request).then((response) => response.body?.cancel()).catch(() => {});
      ended++;
    });
    for (const code of ["return 1", "return 2", "return (await tools.orders.list({})).length"]) {
      assert.equal((await execute(code)).status, "ok");
    }
    assert.equal(ended, 0);
    stop.abort();
    await Promise.all(endless);
  });
});
