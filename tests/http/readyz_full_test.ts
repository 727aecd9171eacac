import assert from "node:assert/strict";
import { type App, openApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";

/** Stands for "hangs"; an answer within a second has room for a busy machine. */
const HANG_MS = 5_000;

async function withStore(
  change: (store: Store) => Store,
  use: (app: App) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-readyz-" });
  const config = ConfigSchema.parse({
    server: { port: 0, drainMs: 30_000 },
    store: "memory:",
    sandbox: { warm: 1 },
  });
  const options = { config, source: "demo", baseDir: folder, log: () => {} };
  const app = await openApp(options, change(createMemoryStore()));
  try {
    await use(app);
  } finally {
    await app.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask(app: App, path: string): Promise<{ status: number; body: string; ms: number }> {
  const from = performance.now();
  const response = await app.fetch(new Request(`http://127.0.0.1${path}`));
  const body = await response.text();
  return { status: response.status, body, ms: performance.now() - from };
}

async function becomesReady(app: App): Promise<void> {
  for (let tries = 0; (await ask(app, "/readyz")).status !== 200; tries++) {
    assert.ok(tries < 600, (await ask(app, "/readyz")).body);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("/readyz and /healthz answer while the store hangs, and are green again by themselves", async () => {
  let hanging: PromiseWithResolvers<void> | null = null;
  const hang = async () => await hanging?.promise;
  await withStore((store) => ({
    ...store,
    async logs() {
      await hang();
      return await store.logs();
    },
    async append(entries, beside) {
      await hang();
      await store.append(entries, beside);
    },
  }), async (app) => {
    await becomesReady(app);
    hanging = Promise.withResolvers<void>();
    for (let round = 0; round < 2; round++) {
      const ready = await ask(app, "/readyz");
      assert.equal(ready.status, 503);
      assert.match(JSON.parse(ready.body).store.reason, /has not answered for \d+ ms/);
      assert.ok(ready.ms < HANG_MS, `${ready.ms}`);
      assert.equal((await ask(app, "/healthz")).status, 200);
    }
    hanging.resolve();
    hanging = null;
    await becomesReady(app);
  });
});

Deno.test("/readyz says why a store cannot be read", async () => {
  let broken = false;
  await withStore((store) => ({
    ...store,
    logs: () => broken ? Promise.reject(new Error("disk I/O error")) : store.logs(),
  }), async (app) => {
    await becomesReady(app);
    broken = true;
    const ready = await ask(app, "/readyz");
    assert.deepEqual([ready.status, JSON.parse(ready.body).store.reason], [503, "disk I/O error"]);
  });
});

Deno.test("stray errors are shown by /readyz and /metrics and turn nothing red", async () => {
  await withStore((store) => store, async (app) => {
    await becomesReady(app);
    app.noteStrayError("promise", new Error("nobody waits"));
    const ready = await ask(app, "/readyz");
    assert.equal(ready.status, 200);
    const { count, lastAt } = JSON.parse(ready.body).strayErrors;
    assert.equal(count, 1);
    assert.ok(!Number.isNaN(Date.parse(lastAt)));
    assert.ok(!ready.body.includes("nobody waits"), "the text is for the log");
    const metrics = await ask(app, "/metrics");
    assert.match(metrics.body, /^toolgate_stray_errors_total\{origin="promise"\} 1$/m);
  });
});

Deno.test("/readyz is red while the service drains, and what listens still answers", async () => {
  await withStore((store) => store, async (app) => {
    const { url } = await app.listen();
    await becomesReady(app);
    const run = fetch(`${url}/api/v1/execute`, {
      method: "POST",
      headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
      body: JSON.stringify({
        code: "await new Promise((r) => setTimeout(r, 1500)); return 'ran';",
      }),
    });
    // The program runs once the sandbox says so.
    for (let tries = 0; tries < 500; tries++) {
      const response = await fetch(`${url}/readyz`);
      const { sandbox } = await response.json() as { sandbox: { running?: number } };
      if (sandbox.running === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const closing = app.close();
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 503);
    assert.equal((await ready.json() as { reason: string }).reason, "the service is shutting down");
    const { result } = await (await run).json() as { result: unknown };
    assert.equal(result, "ran");
    await closing;
  });
});
