import assert from "node:assert/strict";
import { createApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { launchChromium, type Page } from "../console/chromium.ts";
import attackSource from "./foreign_page.js" with { type: "text" };

for (const auth of ["none", "keys"] as const) {
  Deno.test({
    name: `a page of another port of this machine changes and reads nothing, with auth: ${auth}`,
    sanitizeOps: false, // Playwright keeps timers and pipes of its own until the process ends
    sanitizeResources: false,
    fn: () => attack(auth),
  });
}

async function attack(auth: "none" | "keys"): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-foreign-" });
  const app = await createApp({
    config: ConfigSchema.parse({ server: { port: 0, drainMs: 200 }, store: "memory:", auth }),
    source: "demo",
    baseDir: folder,
    log: () => {},
  });
  const pages = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response("<!doctype html><title>dev server</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
  const browser = await launchChromium();
  try {
    const { url } = await app.listen();
    const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await response.json();
    };
    const context = await browser.newContext();
    const own = await context.newPage();
    if (auth === "keys") await signIn(own, url, await newKey(ask));
    await own.goto(`${url}/console/catalog`);
    const token = await own.locator('input[name="token"]').first().getAttribute("value");
    // Opening the page may have listed the catalog: only what comes after it counts.
    const newest = async () =>
      (await ask<{ records: { seq: number }[] }>("GET", "/audit?limit=1")).records[0]?.seq;
    const before = [await newest(), (await ask<{ keys: unknown[] }>("GET", "/keys")).keys.length];
    for (const host of ["127.0.0.1", "localhost"]) {
      const foreign = await context.newPage();
      await foreign.goto(`http://127.0.0.1:${pages.addr.port}/`);
      const target = url.replace("127.0.0.1", host);
      const call = `tryEverything(${JSON.stringify(target)}, ${JSON.stringify(token)})`;
      const done = await foreign.evaluate<string[]>(`(async () => { ${attackSource}
return await ${call}; })()`);
      assert.ok(done.length > 20, done.join("\n"));
      for (const line of ["events: refused", "socket: refused", "read: TypeError"]) {
        assert.ok(done.some((said) => said.startsWith(line)), `${line}\n${done.join("\n")}`);
      }
      await foreign.close();
    }
    const after = [await newest(), (await ask<{ keys: unknown[] }>("GET", "/keys")).keys.length];
    assert.deepEqual(after, before);
    await own.goto(`${url}/console/catalog`);
    assert.equal(await own.locator("html").getAttribute("data-theme"), "system");
    assert.ok(await own.getByText("orders").count() > 0, "the session still stands");
  } finally {
    await browser.close();
    await pages.shutdown();
    await app.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function newKey(
  ask: <T>(method: string, path: string, body?: unknown) => Promise<T>,
): Promise<string> {
  const scopes = ["search", "execute", "audit", "admin"];
  return (await ask<{ key: string }>("POST", "/keys", { name: "ada", scopes })).key;
}

async function signIn(page: Page, url: string, key: string): Promise<void> {
  await page.goto(`${url}/console/login`);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/console\/(?!login)/);
}
