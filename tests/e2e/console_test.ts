import assert from "node:assert/strict";
import { Hono } from "hono";
import { consoleRoutes } from "../../src/console/console_routes.tsx";
import { CONTENT_SECURITY_POLICY } from "../../src/console/security_headers.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import {
  type Browser,
  type BrowserContext,
  findViolations,
  launchChromium,
  type Page,
  watchPage,
} from "../console/chromium.ts";
import { consoleFixture, type Fixture, PEOPLE } from "../console/console_fixture.ts";
import { HOSTILE, HOSTILE_ID, hostileFixture } from "../console/hostile_fixture.ts";
import { actor, EXECUTIONS, SHOP_NOW } from "../console/shop_records.ts";

type ContextOptions = Parameters<Browser["newContext"]>[0];

interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly origin: string;
  readonly fixture: Fixture;
  /** What the page did wrong so far. */
  readonly problems: readonly string[];
  readonly foreign: readonly string[];
  open(path: string): Promise<void>;
}

/** A page of the console in a real browser, served on loopback. */
async function visit(
  fixture: Fixture,
  options: ContextOptions,
  use: (visit: Visit) => Promise<void>,
): Promise<void> {
  const app = new Hono().route("/console", consoleRoutes(fixture.deps));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const browser = await launchChromium();
  try {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const watch = watchPage(page, origin);
    await use({
      page,
      context,
      origin,
      fixture,
      problems: watch.problems,
      foreign: watch.foreign,
      async open(path) {
        const response = await page.goto(`${origin}${path}`);
        assert.equal(response?.headers()["content-security-policy"], CONTENT_SECURITY_POLICY);
      },
    });
    assert.deepEqual(watch.foreign, []);
  } finally {
    await browser.close();
    fixture.close();
    await server.shutdown();
  }
}

const asAda = () => consoleFixture({ anonymous: PEOPLE["key-ada"] ?? null });

/** Playwright keeps timers and pipes of its own until the process ends. */
function browserTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

const PAGES = [
  "/console/executions",
  `/console/executions/${EXECUTIONS.denied}`,
  `/console/executions/${EXECUTIONS.failed}`,
  `/console/executions/${EXECUTIONS.running}`,
  "/console/catalog",
  "/console/catalog/tool?server=orders&name=list",
  "/console/catalog/tool?server=calendar&name=moveEvent",
  "/console/policy?call=orders.update",
  "/console/usage",
  "/console/audit",
  "/console/audit?effect=deny&open=main%2314",
];

for (const width of [360, 1440]) {
  for (const colorScheme of ["light", "dark"] as const) {
    browserTest(`every page is accessible and whole at ${width} px, ${colorScheme}`, async () => {
      const viewport = { width, height: 800 };
      await visit(await asAda(), { viewport, colorScheme }, async ({ page, open, problems }) => {
        for (const path of PAGES) {
          await open(path);
          await openDetails(page);
          assert.deepEqual(await findViolations(page), [], path);
          assert.equal(await overflow(page), 0, `${path} is wider than the screen`);
        }
        assert.deepEqual(problems, []);
      });
    });
  }
}

browserTest(
  "the pages outside a session and the answers to errors are accessible, too",
  async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const fixture = await consoleFixture({
        more: {
          oidc: {
            begin: () => Promise.reject(new Error("not used")),
            finish: () => Promise.reject(new Error("not used")),
          },
        },
      });
      await visit(fixture, { viewport: { width: 360, height: 700 }, colorScheme }, async (seen) => {
        const { page, open } = seen;
        await open("/console/login");
        assert.deepEqual(await findViolations(page), []);
        await page.getByLabel("API key").fill("wrong");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("alert").waitFor();
        assert.deepEqual(await findViolations(page), []);
        await page.getByLabel("API key").fill("key-search");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("heading", { name: "Catalog" }).waitFor();
        for (const path of ["/console/usage", "/console/nothing"]) {
          await open(path);
          assert.deepEqual(await findViolations(page), [], path);
          assert.equal(await overflow(page), 0);
        }
      });
    }
  },
);

browserTest("the explained decision is accessible and marks what applies", async () => {
  await visit(await asAda(), { viewport: { width: 360, height: 800 } }, async (seen) => {
    const { page, open, problems } = seen;
    await open("/console/policy");
    await page.getByLabel("Tool").fill("orders.refund");
    await page.getByLabel("Arguments, JSON").fill('{"id": "ord-1", "amount": 5}');
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator(".verdict.is-ask").waitFor();
    await openDetails(page);
    assert.deepEqual(await findViolations(page), []);
    assert.equal(await overflow(page), 0);
    assert.deepEqual(problems, []);
  });
});

browserTest("everything can be read without scripts", async () => {
  await visit(await asAda(), { javaScriptEnabled: false }, async ({ page, open }) => {
    await open("/console/executions");
    assert.ok(await page.getByText("nightly-report").isVisible());
    assert.equal(await page.getByRole("button", { name: "Pause" }).isVisible(), false);
    await open(`/console/executions/${EXECUTIONS.denied}`);
    await page.locator("#call-2 summary").click();
    assert.ok(await page.locator("#call-2").getByText('"cancelled"').isVisible());
    await open("/console/usage");
    await page.getByText("As a table").click();
    assert.ok(await page.getByRole("rowheader", { name: "2026-05-15" }).isVisible());
    await open("/console/policy");
    await page.getByLabel("Tool").fill("orders.update");
    await page.getByLabel("Arguments, JSON").fill('{"id": "o", "status": "cancelled"}');
    await page.getByRole("button", { name: "Explain" }).click();
    assert.ok(await page.locator(".verdict.is-deny").isVisible());
    await open("/console/audit");
    await page.getByLabel("Effect").selectOption("hidden");
    await page.getByRole("button", { name: "Search" }).click();
    assert.equal(await page.locator("tbody tr").count(), 1);
  });
});

browserTest("the keyboard reaches everything, in the order of the page", async () => {
  await visit(await asAda(), {}, async ({ page, open, problems }) => {
    await open("/console/executions");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "content");
    await open("/console/executions");
    const order: string[] = [];
    for (let step = 0; step < 9; step++) {
      await page.keyboard.press("Tab");
      order.push(await focused(page));
      assert.ok(
        await page.evaluate(HAS_OUTLINE),
        `focus cannot be seen on ${order.at(-1)}`,
      );
    }
    assert.deepEqual(order.slice(0, 8), [
      "Skip to content",
      "toolgate",
      "Executions",
      "Catalog",
      "Policy",
      "Usage",
      "Audit",
      "A ada",
    ]);
    await page.locator(".account summary").focus();
    await page.keyboard.press("Enter");
    assert.ok(await page.getByText("Signed in by").isVisible());
    await page.keyboard.press("Escape");
    assert.equal(await page.getByText("Signed in by").isVisible(), false);
    assert.equal(await focused(page), "A ada");
    await page.getByRole("link", { name: `…${EXECUTIONS.denied.slice(-12)}` }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Execution/ }).waitFor();
    await page.locator("#call-0 summary").focus();
    await page.keyboard.press("Space");
    assert.ok(await page.locator("#call-0 dl").isVisible());
    assert.deepEqual(problems, []);
  });
});

browserTest(
  "executions show up, move on and end while the page is open, until it is paused",
  async () => {
    await visit(await asAda(), {}, async ({ page, open, fixture, problems }) => {
      await open("/console/executions");
      await page.getByText("Live", { exact: true }).waitFor();
      const id = "0198d2a1-0000-7000-8000-0000000000ff";
      const append = (kind: AuditRecord["kind"], more: Partial<AuditRecord> = {}) =>
        fixture.append({
          kind,
          execution: id,
          actor: actor("linus"),
          space: "default",
          v: 1,
          chain: "main",
          seq: 1_000,
          ts: new Date(SHOP_NOW).toISOString(),
          prev: "",
          ...more,
        });
      const kept = page.getByRole("link", { name: `…${EXECUTIONS.denied.slice(-12)}` });
      await kept.focus();
      append("execution.start");
      const row = page.locator(`tr[id="row-${id}"]`);
      await row.waitFor();
      assert.match(await row.innerText(), /running/);
      assert.equal(await focused(page), `…${EXECUTIONS.denied.slice(-12)}`);
      append("call.outcome", {
        tool: { server: "orders", name: "delete" },
        decision: { effect: "deny", because: ["x"], bundle: "" },
      });
      await row.getByText("deny").waitFor();
      await page.getByRole("button", { name: "Pause" }).click();
      append("execution.end", { result: { status: "timeout" } });
      // Twice as long as a message takes: nothing may have moved.
      await page.waitForTimeout(1_500);
      assert.match(await row.innerText(), /running/);
      await page.getByRole("button", { name: "Resume" }).click();
      append("search", { execution: id });
      await row.getByText("timeout").waitFor();
      assert.deepEqual(problems, []);
    });
  },
);

browserTest("a check of the log shows its outcome by itself when it ends", async () => {
  let isChecking = false;
  const fixture = await consoleFixture({
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      startVerify: () => {
        isChecking = true;
        return Promise.resolve();
      },
      verifyState: () =>
        Promise.resolve({
          checkedAtMs: isChecking ? null : SHOP_NOW,
          isChecking,
          chains: [],
          writing: { ok: true, reason: null },
        }),
    },
  });
  await visit(fixture, {}, async ({ page, open, problems }) => {
    await open("/console/audit");
    await page.getByText("The log is whole").waitFor();
    await page.getByRole("button", { name: "Verify now" }).click();
    await page.getByRole("button", { name: "Checking…" }).waitFor();
    isChecking = false;
    await page.getByText("The log is whole").waitFor();
    assert.ok(await page.getByRole("button", { name: "Verify now" }).isEnabled());
    assert.deepEqual(problems, []);
  });
});

browserTest("the usage page draws its charts from the table, in either theme", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await visit(await asAda(), { colorScheme }, async ({ page, open, problems }) => {
      await open("/console/usage");
      await page.locator("canvas").nth(3).waitFor();
      const inks = await page.evaluate<number[]>(INKS);
      assert.equal(inks.length, 4);
      for (const ink of inks) assert.ok(ink > 500, `a chart is empty: ${inks}`);
      assert.deepEqual(problems, []);
    });
  }
});

browserTest("the theme is chosen against the system's and stays", async () => {
  await visit(await asAda(), { colorScheme: "light" }, async ({ page, open }) => {
    const background = () =>
      page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await open("/console/audit");
    const light = await background();
    await page.locator(".account summary").click();
    await page.getByRole("button", { name: "dark" }).click();
    await page.locator("html[data-theme=dark]").waitFor();
    const dark = await background();
    assert.notEqual(dark, light);
    await open("/console/catalog");
    assert.equal(await background(), dark);
  });
});

browserTest("a session's cookie is closed to scripts and ends with its key", async () => {
  await visit(await consoleFixture(), {}, async ({ page, open, context, fixture }) => {
    await open("/console/audit?effect=deny");
    await page.getByLabel("API key").fill("key-ada");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    assert.match(page.url(), /effect=deny/);
    assert.equal(await page.evaluate("document.cookie"), "");
    const [cookie] = await context.cookies(`${new URL(page.url()).origin}/console`);
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, "Strict");
    fixture.revoked.add("key-ada");
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});

browserTest("hostile text does nothing in a real browser", async () => {
  await visit(await hostileFixture(), {}, async ({ page, open, problems }) => {
    const tool = new URLSearchParams({ server: HOSTILE, name: HOSTILE });
    for (
      const path of [
        "/console/executions",
        `/console/executions/${encodeURIComponent(HOSTILE_ID)}`,
        "/console/catalog",
        `/console/catalog/tool?${tool}`,
        "/console/policy",
        "/console/usage",
        "/console/audit?open=main%234",
        `/console/audit?${new URLSearchParams({ tool: HOSTILE, principal: HOSTILE })}`,
      ]
    ) {
      await open(path);
      await openDetails(page);
      // Long enough for what a load or a timer would start.
      await page.waitForTimeout(150);
      assert.equal(await page.evaluate(INJECTED), 0, path);
    }
    assert.deepEqual(problems, []);
  });
});

/** Expressions for the browser, whose types are not those of this process. */
const HAS_OUTLINE = `(() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
})()`;
const INKS = `[...document.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let ink = 0;
  for (let at = 3; at < data.length; at += 4) if (data[at] > 200) ink++;
  return ink;
})`;
const INJECTED =
  `document.querySelectorAll("img, [onload], [onerror], [onfocus], [hx-trigger=load]").length`;
const OPEN_DETAILS =
  `for (const one of document.querySelectorAll("details:not(.account)")) one.open = true`;

/** Opens everything that is folded, so that nothing is missed. */
async function openDetails(page: Page): Promise<void> {
  await page.evaluate(OPEN_DETAILS);
}

/** Pixels by which the page is wider than the screen. */
function overflow(page: Page): Promise<number> {
  return page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)");
}

function focused(page: Page): Promise<string> {
  return page.evaluate(`document.activeElement.innerText.replaceAll(/\\s+/g, " ").trim()`);
}
