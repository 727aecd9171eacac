import assert from "node:assert/strict";
import type { Principal } from "../../src/model/principal.ts";
import { GateError } from "../../src/model/errors.ts";
import { openBrowser, signIn, type TestBrowser } from "./console_browser.ts";
import { consoleFixture, type Fixture, PEOPLE } from "./console_fixture.ts";
import { actor, chainOf, EXECUTIONS, shopRecords } from "./shop_records.ts";

type Options = Parameters<typeof consoleFixture>[0];

/** Everything on the fixture's console, as Ada unless told otherwise. */
async function withConsole(
  use: (browser: TestBrowser, fixture: Fixture) => Promise<void>,
  options: Options = { anonymous: PEOPLE["key-ada"] ?? null },
): Promise<void> {
  const fixture = await consoleFixture(options);
  try {
    await use(openBrowser(fixture.deps), fixture);
  } finally {
    fixture.close();
  }
}

const PAGES = [
  "/console/executions",
  `/console/executions/${EXECUTIONS.denied}`,
  "/console/catalog",
  "/console/catalog/tool?server=orders&name=list",
  "/console/policy",
  "/console/usage",
  "/console/audit",
];

Deno.test("every page has a strict policy, one heading, a title, and is kept by no cache", async () => {
  await withConsole(async (browser) => {
    for (const path of PAGES) {
      const response = await browser.get(path);
      const html = await response.text();
      assert.equal(response.status, 200, path);
      assert.equal(
        response.headers.get("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(html.match(/<h1/g)?.length, 1, path);
      assert.match(html, /^<!doctype html><html lang="en"/);
      assert.match(html, /<title>[^<]+ · toolgate<\/title>/);
    }
  });
});

Deno.test("no page has inline script, inline style or anything from elsewhere", async () => {
  await withConsole(async (browser) => {
    for (const path of PAGES) {
      const html = await browser.text(path);
      assert.doesNotMatch(html, /<script(?![^>]* src="\/console\/assets\/)/, path);
      assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=/, path);
      assert.doesNotMatch(html, /(?:src|href|action)="(?:https?:)?\/\//, path);
    }
  });
});

Deno.test("assets are what pages link to, unchanging, and complete", async () => {
  await withConsole(async (browser) => {
    const html = await browser.text("/console/usage");
    const links = [...html.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)]
      .map((match) => match[1] ?? "");
    assert.equal(links.length, 5);
    for (const link of links) {
      const response = await browser.get(link);
      const text = await response.text();
      assert.equal(response.status, 200, link);
      assert.match(response.headers.get("cache-control") ?? "", /immutable/);
      assert.ok(text.length > 200, link);
    }
    const missing = await browser.get("/console/assets/console-000000000000.js");
    assert.equal(missing.status, 404);
    await missing.body?.cancel();
  });
});

Deno.test("an execution shows its program, the lines that called, decisions, reasons and costs", async () => {
  await withConsole(async (browser, { log }) => {
    const html = await browser.text(`/console/executions/${EXECUTIONS.denied}`);
    assert.match(html, /<li id="line-2" class="is-allow">/);
    assert.match(html, /<li id="line-8" class="is-deny">/);
    assert.match(html, /href="#line-8">line 8</);
    assert.match(html, /rule <code><bdi>no-cancelling</);
    assert.match(html, /ERR_POLICY_DENIED/);
    assert.match(html, /\$0\.0040/);
    assert.match(html, /48\.2k/);
    assert.match(html, /37 of 10000/);
    assert.match(html, /href="\/console\/policy\?record=019ee8f5[^"]*%3A2"/);
    assert.deepEqual(log.payloadReads, [`ada ${EXECUTIONS.denied}`]);
  });
});

Deno.test("the line of an error is marked and linked", async () => {
  await withConsole(async (browser) => {
    const html = await browser.text(`/console/executions/${EXECUTIONS.failed}`);
    assert.match(html, /<li id="line-6" class="is-error">/);
    assert.match(html, /href="#line-6">line 6</);
  });
});

Deno.test("without scope auditor no payload is asked for, and the page says why", async () => {
  await withConsole(async (browser, { log }) => {
    await signIn(browser, "key-audit");
    const html = await browser.text(`/console/executions/${EXECUTIONS.denied}`);
    assert.match(html, /The program is for auditors/);
    assert.doesNotMatch(html, /batchGet\(\{ ids/);
    assert.doesNotMatch(html, /ord-00007/);
    assert.deepEqual(log.payloadReads, []);
  }, {});
});

Deno.test("a call whose payloads are not opened has a link that opens them, and itself", async () => {
  const asked: unknown[] = [];
  await withConsole(async (browser) => {
    const closed = await browser.text(`/console/executions/${EXECUTIONS.denied}`);
    const href = `/console/executions/${EXECUTIONS.denied}?call=2#call-2`;
    assert.ok(closed.includes(`<a href="${href}">Open arguments and result</a>`));
    const opened = await browser.text(`/console/executions/${EXECUTIONS.denied}?call=2`);
    assert.match(opened, /id="call-2".*?<details open/s);
    await browser.text(`/console/executions/${EXECUTIONS.denied}?call=../x`);
    assert.deepEqual(asked, [null, `${EXECUTIONS.denied}:2`, null]);
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      showExecution: (_principal, id, wish) => {
        asked.push(wish?.call);
        const records = shopRecords().filter((record) => record.execution === id);
        const unopened = new Set(wish?.call === null ? [`${id}:2`] : []);
        return Promise.resolve({ records, payloads: new Map(), unopened, truncated: false });
      },
    },
  });
});

Deno.test("an unknown execution and an unknown page answer 404", async () => {
  await withConsole(async (browser) => {
    for (
      const path of ["/console/executions/nothing", "/console/nothing", "/console/catalog/tool"]
    ) {
      const response = await browser.get(path);
      assert.equal(response.status, 404, path);
      assert.match(await response.text(), /<h1|No such/);
      assert.ok(response.headers.has("content-security-policy"));
    }
  });
});

Deno.test("a page that fails says so without its inner text, and logs the cause", async () => {
  await withConsole(async (browser, { log }) => {
    const response = await browser.get("/console/usage");
    const html = await response.text();
    assert.equal(response.status, 500);
    assert.match(html, /Internal error/);
    assert.doesNotMatch(html, /secret-inner-text/);
    assert.match(JSON.stringify(log.failures), /secret-inner-text/);
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: { usage: () => Promise.reject(new Error("secret-inner-text")) },
  });
});

Deno.test("a store that is away is a 503 with its remedy", async () => {
  await withConsole(async (browser) => {
    const response = await browser.get("/console/audit");
    assert.equal(response.status, 503);
    assert.match(await response.text(), /Start the database/);
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      queryAudit: () =>
        Promise.reject(new GateError("ERR_STORE", "Cannot read", { hint: "Start the database" })),
    },
  });
});

Deno.test("the front page leads to the first section that the scopes open", async () => {
  for (
    const [key, home] of [["key-ada", "executions"], ["key-audit", "executions"], [
      "key-search",
      "catalog",
    ]] as const
  ) {
    await withConsole(async (browser) => {
      await signIn(browser, key);
      const response = await browser.get("/console");
      assert.equal(response.status, 303);
      assert.equal(response.headers.get("location"), `/console/${home}`);
    }, {});
  }
});

Deno.test("the front page is there with a slash at its end, too", async () => {
  await withConsole(async (browser) => {
    const response = await browser.get("/console/");
    assert.equal(response.headers.get("location"), "/console");
  });
});

Deno.test("a principal without scopes gets a clear page, not a loop", async () => {
  await withConsole(async (browser) => {
    await signIn(browser, "key-none");
    const response = await browser.get("/console");
    assert.equal(response.status, 403);
    assert.match(await response.text(), /opens no page/);
  }, {});
});

Deno.test("each page needs its scope, says which, and is not in the navigation without it", async () => {
  const needs: readonly (readonly [string, string, string])[] = [
    ["/console/executions", "audit", "key-search"],
    ["/console/executions/stream", "audit", "key-search"],
    [`/console/executions/${EXECUTIONS.ok}`, "audit", "key-search"],
    ["/console/usage", "audit", "key-search"],
    ["/console/usage/export", "audit", "key-search"],
    ["/console/audit", "audit", "key-search"],
    ["/console/audit/export?format=csv", "audit", "key-search"],
    ["/console/audit/verify", "audit", "key-search"],
    ["/console/policy", "admin", "key-audit"],
    ["/console/catalog", "search", "key-audit"],
    ["/console/catalog/tool?server=orders&name=list", "search", "key-audit"],
  ];
  for (const [path, scope, key] of needs) {
    await withConsole(async (browser) => {
      await signIn(browser, key);
      const response = await browser.get(path);
      const html = await response.text();
      assert.equal(response.status, 403, path);
      assert.match(html, new RegExp(`needs scope <code>${scope}</code>`));
      assert.doesNotMatch(html, new RegExp(`<a href="${path.split("?")[0]}"`));
    }, {});
  }
});

Deno.test("approving and blocking need scope admin", async () => {
  await withConsole(async (browser, { log }) => {
    await signIn(browser, "key-search");
    await browser.text("/console/catalog");
    const response = await browser.post("/console/catalog/decide", {
      decision: "approve",
      server: "calendar",
      name: "moveEvent",
    });
    assert.equal(response.status, 403);
    await response.body?.cancel();
    assert.deepEqual(log.decisions, []);
  }, {});
});

Deno.test("an administrator approves and blocks from the catalog and comes back to it", async () => {
  await withConsole(async (browser, { log }) => {
    const html = await browser.text("/console/catalog");
    assert.match(html, /calendar\.moveEvent/);
    // The list decides nothing: it leads to where the definition is read.
    assert.doesNotMatch(html, /name="decision"/);
    assert.match(html, /Review<span class="unseen">orders\.export/);
    const tool = "/console/catalog/tool?server=calendar&name=moveEvent";
    const pin = /name="pin" value="([0-9a-f]{64})"/.exec(await browser.text(tool))?.[1] ?? "";
    for (const decision of ["approve", "block"]) {
      const response = await browser.post("/console/catalog/decide", {
        decision,
        server: "calendar",
        name: "moveEvent",
        pin,
      });
      assert.equal(response.status, 303);
      assert.equal(response.headers.get("location"), tool);
    }
    const neither = await browser.post("/console/catalog/decide", { decision: "maybe" });
    assert.equal(neither.status, 400);
    await neither.body?.cancel();
    const unseen = { decision: "approve", server: "calendar", name: "moveEvent" };
    const pinless = await browser.post("/console/catalog/decide", unseen);
    assert.equal(pinless.status, 400);
    await pinless.body?.cancel();
    assert.deepEqual(log.decisions, [
      "ada approve calendar.moveEvent cdcd",
      "ada block calendar.moveEvent cdcd",
    ]);
  });
});

Deno.test("a decision about what the tool no longer is decides nothing and shows what it is now", async () => {
  await withConsole(async (browser, { log }) => {
    await browser.text("/console/catalog");
    const response = await browser.post("/console/catalog/decide", {
      decision: "approve",
      server: "calendar",
      name: "moveEvent",
      pin: "ab".repeat(32),
    });
    const html = await response.text();
    assert.equal(response.status, 409);
    assert.match(html, /nothing was approved/);
    assert.match(html, /<ins>.*id_ed25519/);
    assert.match(html, new RegExp(`name="pin" value="${"cd".repeat(32)}"`));
    assert.deepEqual(log.decisions, []);
  });
});

Deno.test("the catalog hides from others what they may not use, and what waits", async () => {
  await withConsole(async (browser) => {
    await signIn(browser, "key-search");
    const html = await browser.text("/console/catalog");
    assert.match(html, /orders\.list/);
    assert.doesNotMatch(html, /orders\.delete/);
    assert.doesNotMatch(html, /moveEvent/);
    const hidden = await browser.get("/console/catalog/tool?server=orders&name=delete");
    assert.equal(hidden.status, 404);
    await hidden.body?.cancel();
  }, {});
});

Deno.test("the catalog is searched by name, description and server", async () => {
  await withConsole(async (browser) => {
    const byText = await browser.text("/console/catalog?text=MAILS");
    assert.match(byText, /invoices\.send/);
    assert.doesNotMatch(byText, />orders\.list</);
    const byServer = await browser.text("/console/catalog?server=customers");
    assert.match(byServer, />customers\.list</);
    assert.doesNotMatch(byServer, />orders\.list</);
    assert.match(await browser.text("/console/catalog?text=zzz"), /No tool fits/);
  });
});

Deno.test("a tool that drifted shows each change before it can be approved", async () => {
  await withConsole(async (browser) => {
    const html = await browser.text("/console/catalog/tool?server=calendar&name=moveEvent");
    assert.match(html, /The meaning may differ/);
    assert.match(html, /<del>.*Moves an event to another time/);
    assert.match(html, /<ins>.*id_ed25519/);
  });
});

Deno.test("the policy page explains a denial with every rule and why others did not apply", async () => {
  await withConsole(async (browser) => {
    await browser.text("/console/policy?call=orders.update");
    const response = await browser.post("/console/policy", {
      call: "orders.update",
      args: '{"id": "ord-1", "status": "cancelled"}',
      sub: "ada",
    });
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.match(html, /<div class="verdict is-deny">/);
    assert.match(html, /no-cancelling/);
    assert.match(html, /demo\.yaml:\d+/);
    assert.match(html, /Rules that do not apply/);
    assert.match(html, /other tools/);
    assert.match(html, /execution-calls/);
  });
});

Deno.test("explain opens with the recorded call, answered, each step of the gate and both policies", async () => {
  const record = `${EXECUTIONS.denied}:2`;
  await withConsole(async (browser) => {
    const execution = await browser.text(`/console/executions/${EXECUTIONS.denied}`);
    const href = `/console/policy?${new URLSearchParams({ record })}`;
    assert.ok(execution.includes(`href="${href}"`));
    const html = await browser.text(href);
    assert.match(html, /<div class="verdict is-deny">/);
    assert.match(html, /&quot;status&quot;:&quot;cancelled&quot;/);
    assert.match(html, /name="sub" value="nightly-report"/);
    assert.match(html, /name="scopes" value="search, execute"/);
    for (const step of ["Space", "Pin", "Arguments", "Class", "Rules", "Limits", "Approval"]) {
      assert.match(html, new RegExp(`step-name">${step}<`));
    }
    assert.match(html, /execution-calls: 7 of \d+ calls used/);
    assert.match(html, /Policy then <code[^>]*>9a9a9a9a9a9a/);
    assert.match(html, /policy now <code[^>]*>[0-9a-f]{12}<\/code>.*: another one/);
    const unknown = await browser.get("/console/policy?record=nothing%3A0");
    assert.equal(unknown.status, 422);
    assert.match(await unknown.text(), /The log has no such call/);
  });
});

Deno.test("explain is offered to those who may use it, and answers nothing without the arguments", async () => {
  const execution = `/console/executions/${EXECUTIONS.denied}`;
  await withConsole(async (browser) => {
    await signIn(browser, "key-audit");
    assert.doesNotMatch(await browser.text(execution), /console\/policy/);
  }, {});
  const admin = { ...PEOPLE["key-ada"] as Principal, scopes: ["audit", "admin", "search"] };
  await withConsole(async (browser) => {
    const html = await browser.text(`/console/policy?record=${EXECUTIONS.denied}%3A2`);
    assert.doesNotMatch(html, /class="verdict/);
    assert.match(html, /for scope auditor only: type them/);
    assert.doesNotMatch(html, /cancelled&quot;/);
  }, { anonymous: admin });
});

Deno.test("a tool that nobody lists is explained as what would hold for one of that name", async () => {
  await withConsole(async (browser) => {
    await browser.text("/console/policy");
    const response = await browser.post("/console/policy", { call: "no.such", args: "{}" });
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.match(html, /There is no tool &quot;no\.such&quot;/);
    assert.match(html, /<div class="verdict is-hidden">/);
    assert.match(html, /No server lists a tool of this name/);
  });
});

Deno.test("a question that cannot be answered keeps what was typed and says what is wrong", async () => {
  await withConsole(async (browser) => {
    await browser.text("/console/policy");
    for (
      const [fields, problem] of [
        [{ call: "orders.update", args: "{broken" }, /not JSON/],
        [{ call: "orders.update", args: "[1]" }, /one JSON object/],
        [{ call: "", args: "{}" }, /Name the tool/],
      ] as const
    ) {
      const response = await browser.post("/console/policy", fields);
      const html = await response.text();
      assert.equal(response.status, 422);
      assert.match(html, problem);
      assert.match(html, new RegExp(`value="${fields.call}"`));
    }
  });
});

Deno.test("the audit page filters, pages with a cursor, and opens one record in full", async () => {
  await withConsole(async (browser) => {
    const denied = await browser.text("/console/audit?effect=deny");
    // The head, the denied call, the one that nobody approved, the one of a hidden tool.
    assert.equal(denied.match(/<tr>/g)?.length, 4);
    assert.match(denied, /effect=deny&amp;format=csv/);
    const opened = await browser.text("/console/audit?effect=deny&open=main%2314");
    assert.match(opened, /id="record"/);
    assert.match(opened, /&quot;seq&quot;: 14/);
    const bad = await browser.get("/console/audit?since=yesterday");
    assert.equal(bad.status, 422);
    assert.match(await bad.text(), /not a time/);
    assert.match(await browser.text("/console/audit?principal=stranger"), /No record fits/);
  });
});

Deno.test("the audit page has 50 records and leads to older ones and back, with the filter", async () => {
  const records = chainOf(
    Array.from({ length: 51 }, (_, index) => ({
      kind: "search" as const,
      at: 1_000 * index,
      actor: actor("ada"),
    })),
  );
  await withConsole(async (browser) => {
    const first = await browser.text("/console/audit?principal=ada");
    assert.equal(first.match(/<time /g)?.length, 50);
    const older = /href="([^"]+)">Older/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
    assert.match(older, /principal=ada&after=1/);
    const second = await browser.text(older);
    assert.equal(second.match(/<time /g)?.length, 1);
    assert.doesNotMatch(second, />Older/);
    assert.match(second, /href="\/console\/audit\?principal=ada">Newest/);
  }, { anonymous: PEOPLE["key-ada"] ?? null, records });
});

Deno.test("the audit page gives every filter to the query, with a page's limit", async () => {
  const asked: unknown[] = [];
  await withConsole(async (browser) => {
    await browser.text(
      "/console/audit?since=2026-05-18T09:00&until=2026-05-19&principal=ada&tool=orders.*" +
        "&execution=e&effect=allow&kind=call.outcome&after=7",
    );
    assert.deepEqual(asked.at(-1), {
      since: Date.parse("2026-05-18T09:00Z"),
      until: Date.parse("2026-05-19T00:00Z"),
      principal: "ada",
      tool: "orders.*",
      execution: "e",
      effect: "allow",
      kind: "call.outcome",
      limit: 50,
      after: "7",
    });
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      queryAudit: (filter) => {
        asked.push(filter);
        return Promise.resolve({ records: [], next: "older" });
      },
    },
  });
});

Deno.test("downloads carry the filter and a file name", async () => {
  const asked: unknown[] = [];
  await withConsole(async (browser) => {
    for (const format of ["csv", "jsonl"]) {
      const response = await browser.get(`/console/audit/export?effect=deny&format=${format}`);
      assert.equal(response.status, 200);
      assert.equal(
        response.headers.get("content-disposition"),
        `attachment; filename="audit.${format}"`,
      );
      await response.body?.cancel();
    }
    assert.deepEqual(asked, [[{ effect: "deny" }, "csv"], [{ effect: "deny" }, "jsonl"]]);
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      exportAudit: (...question) => {
        asked.push(question);
        return Promise.resolve(new Response("x"));
      },
    },
  });
});

Deno.test("the state of the log is shown in words, and a check is started by a form", async () => {
  const started: string[] = [];
  await withConsole(async (browser) => {
    const html = await browser.text("/console/audit");
    assert.match(html, /The log was changed/);
    assert.match(html, /Record 7: the hash does not fit/);
    assert.match(html, /hx-get="\/console\/audit\/verify"/);
    const response = await browser.post("/console/audit/verify");
    assert.equal(response.status, 303);
    assert.deepEqual(started, ["ada"]);
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      verifyState: () =>
        Promise.resolve({
          checkedAtMs: 1,
          isChecking: true,
          chains: [{
            chain: "main",
            records: 9,
            ok: false,
            anchored: 0,
            signed: 9,
            problems: ["Record 7: the hash does not fit"],
          }],
          writing: { ok: true, reason: null },
        }),
      startVerify: (principal) => {
        started.push(principal.sub);
        return Promise.resolve();
      },
    },
  });
});

Deno.test("usage asks for whole days and the chosen group, and has a table for those without scripts", async () => {
  const asked: unknown[] = [];
  await withConsole(async (browser, { deps }) => {
    const real = await browser.text("/console/usage?period=30d&by=tool");
    assert.match(real, /By tool/);
    assert.match(real, /data-value="\d+"/);
    assert.match(real, /87\.3 %/);
    assert.match(real, /Call, median/);
    assert.match(real, /As of <time/);
    const { since, until } = asked[0] as { since: number; until: number };
    assert.equal(new Date(since).toISOString(), "2026-04-19T00:00:00.000Z");
    assert.equal(until, deps.now() + 1);
    await browser.text("/console/usage?period=century&by=star-sign");
    assert.deepEqual((asked[1] as { by: string }).by, "principal");
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      usage: async (question) => {
        asked.push(question);
        const plain = await consoleFixture();
        plain.close();
        return await plain.deps.usage(question);
      },
    },
  });
});

Deno.test("usage is downloaded by the group that is shown", async () => {
  await withConsole(async (browser) => {
    assert.match(
      await browser.text("/console/usage?by=tool"),
      /usage\/export\?period=7d&amp;by=tool/,
    );
    const response = await browser.get("/console/usage/export?by=tool&period=30d");
    assert.equal(
      response.headers.get("content-disposition"),
      'attachment; filename="usage-by-tool.csv"',
    );
    assert.match(await response.text(), /^tool,cost_usd,/);
  });
});

Deno.test("a tool that was never approved is shown whole before it can be, with what would not show", async () => {
  const long = "x".repeat(30_000);
  await withConsole(async (browser) => {
    const html = await browser.text("/console/catalog/tool?server=orders&name=export");
    assert.match(html, /It was never approved/);
    assert.doesNotMatch(html, /<th scope="col">Approved/);
    assert.match(html, /Exports<span class="invisible">U\+200B<\/span> everything/);
    assert.match(html, /<details class="schema" open/);
    assert.ok(html.includes(`${long}THE END`));
    assert.match(html, new RegExp(`name="pin" value="${"ef".repeat(32)}"`));
  }, {
    anonymous: PEOPLE["key-ada"] ?? null,
    more: {
      diff: (server, name) =>
        Promise.resolve({
          server,
          name,
          state: "pending",
          change: null,
          changes: [],
          approvedPin: null,
          pin: "ef".repeat(32),
          definition: {
            kind: "tool",
            name,
            title: null,
            description: "Exports\u200b everything",
            inputSchema: { type: "object", description: `${long}THE END` },
            outputSchema: null,
            annotations: null,
            server,
            identity: "test",
          },
        }),
    },
  });
});

Deno.test("empty states say what to do next", async () => {
  await withConsole(async (browser) => {
    assert.match(await browser.text("/console/executions"), /toolgate run program\.ts/);
    assert.match(await browser.text("/console/audit"), /run a program/);
    assert.match(await browser.text("/console/catalog"), /toolgate import/);
  }, {
    records: [],
    anonymous: PEOPLE["key-ada"] ?? null,
    more: { tools: () => Promise.resolve({ tools: [], servers: [], quarantined: [] }) },
  });
});
