import assert from "node:assert/strict";
import { openBrowser, type TestBrowser } from "./console_browser.ts";
import { HOSTILE, HOSTILE_ID, hostileFixture, LIVE_MARKUP } from "./hostile_fixture.ts";

const tool = new URLSearchParams({ server: HOSTILE, name: HOSTILE });

const PAGES = [
  "/console/executions",
  `/console/executions/${encodeURIComponent(HOSTILE_ID)}`,
  `/console/catalog?${new URLSearchParams({ text: HOSTILE, server: HOSTILE })}`,
  "/console/catalog",
  `/console/catalog/tool?${tool}`,
  `/console/policy?${new URLSearchParams({
    call: HOSTILE,
    args: HOSTILE,
    sub: HOSTILE,
    groups: HOSTILE,
    scopes: HOSTILE,
    client: HOSTILE,
    space: HOSTILE,
  })}`,
  "/console/usage",
  "/console/audit?open=main%234",
  `/console/audit?${new URLSearchParams({
    since: HOSTILE,
    until: HOSTILE,
    principal: HOSTILE,
    tool: HOSTILE,
    execution: HOSTILE,
    effect: HOSTILE,
    kind: HOSTILE,
  })}`,
  "/console/audit/verify",
  `/console/${encodeURIComponent(HOSTILE)}`,
  `/console/login?next=${encodeURIComponent(HOSTILE)}`,
];

async function withHostileConsole(use: (browser: TestBrowser) => Promise<void>): Promise<void> {
  const fixture = await hostileFixture();
  try {
    await use(openBrowser(fixture.deps));
  } finally {
    fixture.close();
  }
}

function assertHarmless(html: string, where: string): void {
  for (const piece of LIVE_MARKUP) {
    assert.equal(html.includes(piece), false, `${JSON.stringify(piece)} in ${where}`);
  }
  // What a person typed goes back into its field as it is; everywhere else nothing hides.
  const shown = html.replaceAll(/ value="[^"]*"|<textarea.*?<\/textarea>/gs, "");
  const hiding = /.{0,80}[\u202E\u2066\0]/.exec(shown);
  assert.equal(hiding?.[0], undefined, where);
  // Every tag is one of ours: what others wrote holds tags that no page uses.
  const tags = new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map((match) => match[1]));
  for (const tag of ["img", "iframe", "object", "embed", "base", "style"]) {
    assert.equal(tags.has(tag), false, `<${tag}> in ${where}`);
  }
  for (const [script] of html.matchAll(/<script[^>]*>/gi)) {
    assert.match(script, /^<script src="\/console\/assets\/[a-z]+-[0-9a-f]{12}\.js" defer[^>]*>$/);
  }
}

Deno.test("text of others is never markup, on any page", async () => {
  await withHostileConsole(async (browser) => {
    for (const path of PAGES) {
      const response = await browser.get(path);
      assertHarmless(await response.text(), path);
    }
  });
});

Deno.test("text of others is there to be read, escaped", async () => {
  await withHostileConsole(async (browser) => {
    for (
      const path of [
        "/console/executions",
        `/console/executions/${encodeURIComponent(HOSTILE_ID)}`,
        "/console/catalog",
        `/console/catalog/tool?${tool}`,
        "/console/usage",
        "/console/audit?open=main%234",
      ]
    ) {
      const html = await (await browser.get(path)).text();
      assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/, path);
      assert.match(html, /<span class="invisible">U\+202E<\/span>|⟨U\+202E⟩/, path);
    }
  });
});

Deno.test("a hostile explanation is harmless, in its form too", async () => {
  await withHostileConsole(async (browser) => {
    await (await browser.get("/console/policy")).body?.cancel();
    const response = await browser.post("/console/policy", {
      call: HOSTILE,
      args: "{}",
      sub: HOSTILE,
      client: HOSTILE,
      groups: HOSTILE,
      scopes: HOSTILE,
      space: HOSTILE,
    });
    const html = await response.text();
    assert.equal(response.status, 200);
    assertHarmless(html, "the answer");
    assert.match(html, /Rules that apply/);
  });
});

Deno.test("a hostile next page or theme is not followed", async () => {
  await withHostileConsole(async (browser) => {
    await (await browser.get("/console/executions")).body?.cancel();
    const response = await browser.post("/console/theme", { theme: HOSTILE, next: HOSTILE });
    assert.equal(response.headers.get("location"), "/console");
    await response.body?.cancel();
  });
});
