import assert from "node:assert/strict";
import { type App, createApp } from "../../src/app.ts";
import { demoConfig } from "../../src/config/demo_config.ts";
import { type Config, ConfigSchema } from "../../src/config/schema.ts";
import type { ExecutionResult } from "../../src/model/execution.ts";
import { findViolations, launchChromium, type Page, watchPage } from "../console/chromium.ts";

interface Service {
  readonly app: App;
  readonly url: string;
  readonly page: Page;
  readonly problems: readonly string[];
  run(code: string): Promise<ExecutionResult>;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** The whole service over the demo's servers, with a browser before its console. */
async function withService(
  config: { readonly auth?: Config["auth"] },
  use: (service: Service) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-console-" });
  const { policies } = demoConfig();
  const app = await createApp({
    config: ConfigSchema.parse({
      server: { port: 0, drainMs: 500 },
      store: `kv:${folder}/toolgate.kv`,
      policies,
      ...config,
    }),
    source: "demo",
    baseDir: folder,
    log: () => {},
  });
  const browser = await launchChromium();
  try {
    const { url } = await app.listen();
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(15_000);
    const { problems, foreign } = watchPage(page, url);
    const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path} answered ${response.status} ${text}`);
      return JSON.parse(text);
    };
    await use({
      app,
      url,
      page,
      problems,
      api,
      run: (code) => api("POST", "/execute", { code }),
    });
    assert.deepEqual(foreign, []);
  } finally {
    await browser.close();
    await app.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Playwright keeps timers and pipes of its own until the process ends. */
function browserTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

const DENIED = `const [order] = await tools.orders.list({ since: "2026-04-01" });
await tools.orders.update({ id: order.id, status: "cancelled" });
return order.id;`;

browserTest(
  "an operator follows a denied call from the list to the rule, on the real service",
  async () => {
    await withService({}, async ({ url, page, problems, run }) => {
      await page.goto(`${url}/console`);
      await page.getByText("No program has run yet").waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      const denied = await run(DENIED);
      assert.equal(denied.status, "denied");
      // The page was open all the time: the list has moved by itself.
      const link = page.getByRole("link", { name: `…${denied.executionId.slice(-12)}` });
      await link.waitFor();
      await link.click();
      const call = page.locator("#call-1");
      await call.getByText("deny").waitFor();
      assert.match(await call.innerText(), /orders\.update/);
      assert.match(await call.innerText(), /rule no-cancelling/);
      assert.match(await page.locator("#line-2").innerText(), /tools\.orders\.update/);
      // The line that ended the program, with the call that was denied there.
      assert.match((await page.locator("#line-2").getAttribute("class")) ?? "", /is-error/);
      assert.match(await page.locator("#line-2").innerText(), /error, .*deny/);
      assert.deepEqual(await findViolations(page), []);
      await call.getByText("Details").click();
      assert.ok(await call.getByText('"cancelled"').isVisible());
      await call.getByRole("link", { name: "explain" }).click();
      await page.getByLabel("Arguments, JSON").fill('{"id": "ord-00001", "status": "shipped"}');
      await page.getByRole("button", { name: "Explain" }).click();
      await page.locator(".verdict.is-allow").waitFor();
      assert.deepEqual(await findViolations(page), []);
      assert.deepEqual(problems, []);
    });
  },
);

browserTest("every page shows what really happened, and is accessible", async () => {
  await withService({}, async ({ url, page, problems, run, api }) => {
    await run("return await tools.customers.list({});");
    await run("const a = 1;\nreturn a.b.c;");
    await run(
      'return await tools.orders.refund({ id: "ord-00001", amount: 5, reason: "broken" });',
    );
    const { executionId } = await run(
      "return (await Promise.all(Array.from({ length: 30 }, (_, i) => " +
        'tools.customers.get({ id: "cus-" + String(i + 1).padStart(5, "0") })))).length;',
    );
    for (
      const [path, sight] of [
        ["/console/executions", "ERR_PROGRAM"],
        [`/console/executions/${executionId}`, "customers.get"],
        [`/console/executions/${executionId}?call=25`, '"cus-00026"'],
        ["/console/catalog", "orders.refund"],
        ["/console/catalog/tool?server=orders&name=refund", "What programs see"],
        ["/console/policy", "demo"],
        ["/console/usage?by=tool", "customers.get"],
        ["/console/audit?kind=call.outcome", "orders.refund"],
      ] as const
    ) {
      const response = await page.goto(`${url}${path}`);
      assert.equal(response?.status(), 200, path);
      await page.getByText(sight, { exact: false }).first().waitFor();
      assert.deepEqual(await findViolations(page), [], path);
    }
    await page.goto(`${url}/console/audit`);
    await page.getByRole("button", { name: "Verify now" }).click();
    await page.getByText("The log is whole").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "CSV" }).click();
    const file = await (await download).path();
    assert.match(await Deno.readTextFile(file), /customers/);
    // Looking at payloads left its own trace.
    const { records } = await api<{ records: { detail?: { action?: string } }[] }>(
      "GET",
      "/audit?kind=admin&limit=100",
    );
    assert.ok(records.some((record) => record.detail?.action === "payloads.read"));
    assert.deepEqual(problems, []);
  });
});

browserTest(
  "a tool is blocked and approved in the browser, and the gate obeys at once",
  async () => {
    await withService({}, async ({ url, page, run, problems }) => {
      await page.goto(`${url}/console/catalog/tool?server=customers&name=list`);
      await page.getByRole("button", { name: "Block" }).click();
      await page.getByText("blocked").first().waitFor();
      const refused = await run("return await tools.customers.list({});");
      assert.equal(refused.error?.code, "ERR_TOOL_UNAVAILABLE");
      await page.goto(`${url}/console/catalog`);
      await page.getByRole("link", { name: /Review.*customers\.list/ }).click();
      await page.getByRole("button", { name: /Approve.*customers\.list/ }).click();
      await page.getByText("approved", { exact: true }).waitFor();
      assert.equal((await run("return await tools.customers.list({});")).status, "ok");
      assert.deepEqual(problems, []);
    });
  },
);

browserTest("a person signs in with an API key and is out when it is revoked", async () => {
  await withService({ auth: "keys" }, async ({ url, page, api, run }) => {
    const { id, key } = await api<{ id: string; key: string }>("POST", "/keys", {
      name: "audrey",
      scopes: ["audit"],
    });
    await page.goto(`${url}/console/usage`);
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Usage" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Policy" }).count(), 0);
    const forbidden = await page.goto(`${url}/console/policy`);
    assert.equal(forbidden?.status(), 403);
    await page.goto(`${url}/console/executions`);
    await page.getByText("Live", { exact: true }).waitFor();
    await api("DELETE", `/keys/${id}`);
    // The next message finds the key gone, and the page goes to the login by itself.
    await run("return 1;");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});

browserTest("an open live page does not keep the service from ending", async () => {
  await withService({}, async ({ app, url, page }) => {
    await page.goto(`${url}/console/executions`);
    await page.getByText("Live", { exact: true }).waitFor();
    const started = performance.now();
    await app.close();
    assert.ok(performance.now() - started < 8_000);
    await page.getByText("Connection lost, trying again").waitFor();
  });
});
