import assert from "node:assert/strict";
import { openBrowser, signIn } from "./console_browser.ts";
import { consoleFixture, type Fixture, PEOPLE } from "./console_fixture.ts";

async function withFixture(
  use: (fixture: Fixture) => Promise<void>,
  options: Parameters<typeof consoleFixture>[0] = {},
): Promise<void> {
  const fixture = await consoleFixture(options);
  try {
    await use(fixture);
  } finally {
    fixture.close();
  }
}

async function status(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

Deno.test("who is not signed in is led to the login page and back to where they were", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    const refused = await browser.get("/console/audit?effect=deny");
    assert.equal(refused.status, 303);
    const login = refused.headers.get("location") ?? "";
    assert.equal(login, "/console/login?next=%2Fconsole%2Faudit%3Feffect%3Ddeny");
    const html = await browser.text(login);
    assert.match(html, /name="next" value="\/console\/audit\?effect=deny"/);
    const entered = await browser.post("/console/login", {
      key: "key-ada",
      next: "/console/audit?effect=deny",
    });
    assert.equal(entered.status, 303);
    assert.equal(entered.headers.get("location"), "/console/audit?effect=deny");
    assert.match(await browser.text("/console/audit"), /Audit/);
  });
});

Deno.test("the session cookie is bound to the console and holds nothing of the key", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser({ ...deps, publicUrl: "https://tools.acme.com" });
    await browser.text("/console/login");
    const response = await browser.post("/console/login", { key: "key-ada" });
    const [cookie = ""] = response.headers.getSetCookie();
    const parts = ["__Host-toolgate_session=", "HttpOnly", "SameSite=Strict", "Path=/;", "Secure"];
    for (const part of [...parts, "Max-Age=3600"]) {
      assert.ok(cookie.includes(part), `${part} in ${cookie}`);
    }
    assert.doesNotMatch(decodeURIComponent(cookie), /key-ada/);
  });
});

Deno.test("without https the cookie is not Secure, so that loopback works", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    await browser.text("/console/login");
    const response = await browser.post("/console/login", { key: "key-ada" });
    assert.doesNotMatch(response.headers.getSetCookie()[0] ?? "", /Secure/);
  });
});

Deno.test("a wrong key is refused without saying what was wrong with it", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    await browser.text("/console/login");
    const response = await browser.post("/console/login", { key: "key-guess" });
    const html = await response.text();
    assert.equal(response.status, 401);
    assert.match(html, /role="alert"/);
    assert.doesNotMatch(html, /key-guess/);
    assert.equal(response.headers.getSetCookie().length, 0);
    assert.equal(await status(browser.get("/console/audit")), 303);
  });
});

Deno.test("a revoked key ends its session with the next request", async () => {
  await withFixture(async ({ deps, revoked }) => {
    const browser = openBrowser(deps);
    await signIn(browser, "key-ada");
    assert.equal(await status(browser.get("/console/audit")), 200);
    revoked.add("key-ada");
    assert.equal(await status(browser.get("/console/audit")), 303);
  });
});

Deno.test("signing out ends the session, also for a kept cookie", async () => {
  await withFixture(async ({ deps, log }) => {
    const browser = openBrowser(deps);
    await signIn(browser, "key-ada");
    await browser.text("/console/audit");
    const kept = new Map(browser.cookies);
    assert.equal(await status(browser.post("/console/logout")), 303);
    assert.equal(browser.cookies.has("toolgate_session"), false);
    assert.equal(log.endedSessions.length, 1);
    for (const [name, value] of kept) browser.cookies.set(name, value);
    assert.equal(await status(browser.get("/console/audit")), 303);
  });
});

Deno.test("signing in again ends the session before it", async () => {
  await withFixture(async ({ deps, log }) => {
    const browser = openBrowser(deps);
    await signIn(browser, "key-ada");
    const first = new Map(browser.cookies);
    const [, form = ""] = (await browser.text("/console/login")).split('action="/console/login"');
    const token = /name="token" value="([0-9a-f]+)"/.exec(form)?.[1] ?? "";
    assert.equal(await status(browser.post("/console/login", { token, key: "key-ada" })), 303);
    assert.equal(log.endedSessions.length, 1);
    assert.equal(await status(browser.get("/console/audit")), 200);
    for (const [name, value] of first) browser.cookies.set(name, value);
    assert.equal(await status(browser.get("/console/audit")), 303);
  });
});

Deno.test("a forged or changed cookie is not a session", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    await signIn(browser, "key-ada");
    const good = decodeURIComponent(browser.cookies.get("toolgate_session") ?? "");
    const [id = "", signature = ""] = good.split(/\.(?=[^.]*$)/);
    const other = openBrowser({ ...deps, secret: new Uint8Array(32).fill(8) });
    other.cookies.set("toolgate_session", encodeURIComponent(good));
    assert.equal(await status(other.get("/console/audit")), 303);
    for (const forged of [id, `${id}.`, `${id}x.${signature}`, `session-1.${signature}`, "", "."]) {
      browser.cookies.set("toolgate_session", encodeURIComponent(forged));
      assert.equal(await status(browser.get("/console/audit")), 303, forged);
    }
  });
});

Deno.test("parts of pages and streams of an ended session answer 401 and lead to the login", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    for (
      const response of [
        await browser.get("/console/audit/verify", { "hx-request": "true" }),
        await browser.get("/console/executions/stream"),
      ]
    ) {
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("hx-redirect"), "/console/login?next=%2Fconsole");
    }
  });
});

Deno.test("without authentication nobody logs in", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    const response = await browser.get("/console/login");
    assert.equal(response.headers.get("location"), "/console");
    const html = await browser.text("/console/executions");
    assert.match(html, /authentication is off/);
    assert.doesNotMatch(html, /Sign out/);
  }, { anonymous: PEOPLE["key-ada"] ?? null });
});

Deno.test("a form counts only with this session's token and from this origin", async () => {
  await withFixture(async ({ deps, log }) => {
    const browser = openBrowser(deps);
    await signIn(browser, "key-ada");
    await browser.text("/console/catalog");
    const approve = { decision: "approve", server: "orders", name: "export", pin: "aa" };
    const other = openBrowser(deps);
    await signIn(other, "key-ada");
    const foreign = /name="token" value="([0-9a-f]+)"/.exec(await other.text("/console/catalog"));
    const attacks: readonly (readonly [{ [name: string]: string }, HeadersInit])[] = [
      [{ ...approve, token: "" }, {}],
      [{ ...approve, token: "0".repeat(64) }, {}],
      [{ ...approve, token: foreign?.[1] ?? "missing" }, {}],
      [approve, { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
      [approve, { origin: "http://127.0.0.1:9999", "sec-fetch-site": "same-site" }],
      [approve, { origin: "https://127.0.0.1:8484" }],
      [approve, { origin: "null" }],
    ];
    for (const [fields, headers] of attacks) {
      assert.equal(await status(browser.post("/console/catalog/decide", fields, headers)), 403);
    }
    assert.deepEqual(log.decisions, []);
    await browser.text("/console/catalog");
    assert.equal(await status(browser.post("/console/catalog/decide", approve)), 303);
    assert.deepEqual(log.decisions, ["ada approve orders.export aa"]);
  });
});

Deno.test("every form of every page carries the token", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    const pages = [
      "/console/executions",
      "/console/catalog",
      "/console/catalog/tool?server=calendar&name=moveEvent",
      "/console/policy",
      "/console/audit",
    ];
    for (const path of pages) {
      const html = await browser.text(path);
      const forms = [...html.matchAll(/<form[^>]*method="post".*?<\/form>/gs)];
      assert.ok(forms.length > 0, path);
      for (const [form] of forms) assert.match(form, /name="token" value="[0-9a-f]{64}"/);
    }
  }, { anonymous: PEOPLE["key-ada"] ?? null });
});

Deno.test("login goes to pages of the console only", async () => {
  await withFixture(async ({ deps }) => {
    for (
      const next of [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example/console",
        "javascript:alert(1)",
        "/mcp",
        "/consolex",
        "/console/../mcp",
        "",
      ]
    ) {
      const browser = openBrowser(deps);
      await browser.text("/console/login");
      const response = await browser.post("/console/login", { key: "key-ada", next });
      assert.equal(response.headers.get("location"), "/console", next);
    }
  });
});

Deno.test("a form is read up to its limit, and one byte more is refused", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    await browser.text("/console/login");
    const overhead = `token=${"0".repeat(64)}&key=`.length;
    const fits = "k".repeat(131_072 - overhead);
    assert.equal(await status(browser.post("/console/login", { key: fits })), 401);
    assert.equal(await status(browser.post("/console/login", { key: `${fits}k` })), 413);
  });
});

Deno.test("the theme is kept in a cookie and shown at once", async () => {
  await withFixture(async ({ deps }) => {
    const browser = openBrowser(deps);
    assert.match(await browser.text("/console/audit"), /data-theme="system"/);
    const response = await browser.post("/console/theme", {
      theme: "dark",
      next: "/console/audit?effect=deny",
    });
    assert.equal(response.headers.get("location"), "/console/audit?effect=deny");
    assert.match(await browser.text("/console/audit"), /data-theme="dark"/);
    await status(browser.post("/console/theme", { theme: '"><script>' }));
    assert.match(await browser.text("/console/audit"), /data-theme="system"/);
  }, { anonymous: PEOPLE["key-ada"] ?? null });
});
