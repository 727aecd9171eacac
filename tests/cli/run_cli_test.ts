import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../src/config/parse_config.ts";
import { publishServiceFile, serviceFilePaths } from "../../src/config/service_file.ts";
import { proveService } from "../../src/config/service_proof.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { GateError } from "../../src/model/errors.ts";
import { runIn, scriptedApp, withFolder } from "./cli_fixture.ts";

const USAGE = { wallMs: 12.4, toolCalls: 1, bytesKeptOut: 0, tokensReturned: 0, tokensKeptOut: 0 };

function execution(fields: { [name: string]: unknown }) {
  return { executionId: "e1", status: "ok", logs: [], calls: [], usage: USAGE, ...fields };
}

Deno.test("runCli() prints the version, the help, and usage errors with exit code 2", async () => {
  await withFolder(async (folder) => {
    const version = await runIn(folder, ["--version"]);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    const asJson = await runIn(folder, ["--version", "--json"]);
    assert.deepEqual(JSON.parse(asJson.stdout), { version: version.stdout.trim() });
    const helpAsJson = await runIn(folder, ["serve", "--help", "--json"]);
    assert.match(JSON.parse(helpAsJson.stdout).help, /^toolgate serve/);
    const help = await runIn(folder, ["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Usage: toolgate COMMAND/);
    const wrong = await runIn(folder, ["serach", "x"]);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /Unknown command "serach"\n {2}Did you mean "search"\?/);
  });
});

Deno.test("runCli() answers errors as one JSON document with --json", async () => {
  await withFolder(async (folder) => {
    const run = await runIn(folder, ["search", "x", "--limit", "51", "--json"]);
    assert.equal(run.code, 2);
    const { error } = JSON.parse(run.stdout);
    assert.equal(error.code, "ERR_BAD_REQUEST");
    assert.match(error.hint, /from 1 to 50/);
  });
});

Deno.test("runCli() ends with exit code 2 and the place of a mistake in the configuration", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "limits:\n  walTimeMs: 3\n");
    const run = await runIn(folder, ["search", "x"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /line 2.*"limits\.walTimeMs".*"wallTimeMs"\n {2}Rename it/);
    const missing = await runIn(folder, ["search", "x", "--config", "none.yaml"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /none\.yaml/);
  });
});

Deno.test("search prints declarations, or the answer as JSON, and closes the application", async () => {
  await withFolder(async (folder) => {
    const answer = {
      hits: [{ name: "a.b" }],
      total: 7,
      truncated: true,
      declarations: "a.b(): x;",
    };
    const { createApp, asked, state } = scriptedApp({ "POST /search": answer });
    const args = ["search", "list", "orders", "--limit", "3", "--space", "s"];
    const text = await runIn(folder, args, { createApp });
    assert.deepEqual([text.code, text.stdout], [0, "a.b(): x;\n"]);
    assert.match(text.stderr, /1 of 7/);
    assert.deepEqual(asked[0]?.body, { query: "list orders", limit: 3, space: "s" });
    assert.equal(asked[0]?.token, "Bearer local-token");
    assert.ok(state.closed);
    const json = await runIn(folder, [...args, "--json"], { createApp });
    assert.deepEqual(JSON.parse(json.stdout), answer);
  });
});

Deno.test("search refuses an unknown detail before it starts anything", async () => {
  await withFolder(async (folder) => {
    const createApp = () => assert.fail("started");
    const run = await runIn(folder, ["search", "x", "--detail", "all"], { createApp });
    assert.equal(run.code, 2);
    assert.match(run.stderr, /names, signatures, full/);
  });
});

Deno.test("run prints the result on stdout, logs and errors on stderr", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "p.ts"), "return 1");
    const { createApp, asked } = scriptedApp({
      "POST /execute": execution({
        result: { rows: [1] },
        logs: [{ level: "log", text: "hello" }, { level: "warn", text: "careful" }],
        planned: [{ tool: "a.b", args: { x: 1 } }],
      }),
    });
    const run = await runIn(folder, ["run", "p.ts", "--dry-run"], { createApp });
    assert.equal(run.code, 0);
    assert.deepEqual(JSON.parse(run.stdout), { rows: [1] });
    assert.match(
      run.stderr,
      /^hello\n\[warn\] careful\nplanned: a\.b\(\{"x":1\}\)\nok, 0 calls, 12 ms/,
    );
    assert.deepEqual(asked[0]?.body, { code: "return 1", dryRun: true });
  });
});

Deno.test("run - reads the program from standard input", async () => {
  await withFolder(async (folder) => {
    const { createApp, asked } = scriptedApp({ "POST /execute": execution({ result: null }) });
    const readStdin = () => Promise.resolve("return null");
    const run = await runIn(folder, ["run", "-", "--json"], { createApp, readStdin });
    assert.equal(JSON.parse(run.stdout).executionId, "e1");
    assert.deepEqual(asked[0]?.body, { code: "return null" });
  });
});

Deno.test("run ends with the exit code of the status", async () => {
  await withFolder(async (folder) => {
    const codes = { ok: 0, error: 1, timeout: 1, cancelled: 1, denied: 3, approval_required: 5 };
    for (const [status, code] of Object.entries(codes)) {
      const { createApp } = scriptedApp({ "POST /execute": execution({ status }) });
      assert.equal((await runIn(folder, ["run", "-"], { createApp })).code, code, status);
    }
  });
});

Deno.test("run says where a program failed and what waits for approval", async () => {
  await withFolder(async (folder) => {
    const failed = scriptedApp({
      "POST /execute": execution({
        status: "error",
        error: {
          code: "ERR_PROGRAM",
          name: "TypeError",
          message: "x is not a function",
          hint: "Check the name",
          line: 3,
          column: 7,
        },
      }),
    });
    const run = await runIn(folder, ["run", "-"], failed);
    assert.match(
      run.stderr,
      /TypeError at line 3:7: x is not a function \(ERR_PROGRAM\)\n {2}Check/,
    );
    const waiting = scriptedApp({
      "POST /execute": execution({
        status: "approval_required",
        approval: { id: "a1", summary: "Refund 40?", url: "http://x/a1", expiresAt: "2026-04-01" },
      }),
    });
    assert.match((await runIn(folder, ["run", "-"], waiting)).stderr, /approval a1 .*Refund 40\?/);
  });
});

Deno.test("run names a program file that cannot be read", async () => {
  await withFolder(async (folder) => {
    const run = await runIn(folder, ["run", "none.ts"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /"none\.ts"/);
  });
});

Deno.test("runCli() maps the service's errors to exit codes", async () => {
  await withFolder(async (folder) => {
    const codes = {
      ERR_POLICY_DENIED: 3,
      ERR_FORBIDDEN: 3,
      ERR_NOT_REACHABLE: 4,
      ERR_STORE: 4,
      ERR_APPROVAL_REQUIRED: 5,
      ERR_BAD_REQUEST: 2,
      ERR_TOOL_NOT_FOUND: 1,
      ERR_INTERNAL: 1,
    };
    for (const [code, exit] of Object.entries(codes)) {
      const problem = Response.json({ code, title: "T", hint: "H" }, { status: 400 });
      const { createApp } = scriptedApp({ "GET /tools": problem });
      const run = await runIn(folder, ["tools", "list"], { createApp });
      assert.deepEqual([run.code, run.stderr], [exit, "toolgate: T\n  H\n"], code);
    }
  });
});

Deno.test("types writes a file with --out", async () => {
  await withFolder(async (folder) => {
    const { createApp } = scriptedApp({ "GET /types": new Response("declare const tools: {};") });
    const run = await runIn(folder, ["types", "--out", "sub/tools.d.ts"], { createApp });
    assert.deepEqual([run.code, run.stdout], [0, ""]);
    const text = await Deno.readTextFile(join(folder, "sub/tools.d.ts"));
    assert.equal(text, "declare const tools: {};");
  });
});

Deno.test("tools list shows tools, quarantine and servers in trouble; control characters are gone", async () => {
  await withFolder(async (folder) => {
    const tool = {
      name: "a.b",
      server: "a",
      title: "B\u001b[31m",
      access: "read",
      effect: "allow",
    };
    const { createApp } = scriptedApp({
      "GET /tools": {
        tools: [tool, { ...tool, name: "c.d", server: "c" }],
        quarantined: [{ server: "a", name: "z", reason: "drift", detail: "changed" }],
        servers: [{ server: "a", status: "down", error: "no such program" }],
      },
    });
    const run = await runIn(folder, ["tools", "list", "a"], { createApp });
    assert.match(run.stdout, /a\.b +read +allow +B/);
    assert.match(run.stdout, /a\.z +drift +changed/);
    assert.ok(!run.stdout.includes("c.d") && !run.stdout.includes("\u001b"));
    assert.match(run.stderr, /a is down: no such program/);
  });
});

Deno.test("tools diff shows what was and what is, place by place", async () => {
  await withFolder(async (folder) => {
    const diff = {
      server: "a",
      name: "b",
      state: "drift",
      change: "semantic",
      changes: [
        { path: "inputSchema.properties.n.type", before: '"number"', after: '"string"' },
        { path: "title", before: null, after: '"New"' },
      ],
      approvedPin: "1",
      pin: "2",
    };
    const app = scriptedApp({ "GET /tools/a.b/diff": { server: "a", name: "b", diff } });
    const run = await runIn(folder, ["tools", "diff", "a.b"], app);
    assert.equal(
      run.stdout,
      "a.b: drift, semantic difference to what was approved\n" +
        '  inputSchema.properties.n.type\n    - "number"\n    + "string"\n  title\n    + "New"\n' +
        "  pin 2\n",
    );
    const waiting = (reason: string, name: string) => ({ server: "a", name, reason, detail: "" });
    const all = scriptedApp({
      "GET /tools": { quarantined: [waiting("malformed", "x"), waiting("drift", "b")] },
      "GET /tools/a.b/diff": { server: "a", name: "b", diff },
    });
    const every = await runIn(folder, ["tools", "diff", "--json"], all);
    assert.deepEqual(JSON.parse(every.stdout), diff);
    assert.match(every.stderr, /^1 tool waits$/m);
    const gone = scriptedApp({ "GET /tools/a.b/diff": { server: "a", name: "b", diff: null } });
    assert.equal((await runIn(folder, ["tools", "diff", "a.b"], gone)).code, 1);
  });
});

Deno.test("tools approve and block send exactly the pins that they printed", async () => {
  const diffOf = (name: string, pin: string, state = "pending") => ({
    diff: {
      server: "a",
      name,
      state,
      change: null,
      changes: [{ path: "description", before: null, after: `"Does ${name}"` }],
      approvedPin: null,
      pin,
    },
  });
  const quarantined = [["b", "drift"], ["bb", "pending"], ["c", "pending"], ["bx", "blocked"]]
    .map(([name, reason]) => ({ server: "a", name, reason, detail: "" }));
  const changed = Response.json({ code: "ERR_CHANGED", title: "No", hint: "Read" }, {
    status: 409,
  });
  const answers = {
    "GET /tools": { quarantined },
    "GET /tools/a.b/diff": diffOf("b", "11"),
    "GET /tools/a.bb/diff": diffOf("bb", "22"),
    "POST /tools/a.b/approve": {},
    "POST /tools/a.bb/approve": {},
    "POST /tools/a.b/block": {},
  };
  await withFolder(async (folder) => {
    const run = async (
      args: readonly string[],
      changes: { readonly [key: string]: unknown } = {},
    ) => {
      const app = scriptedApp({ ...answers, ...changes });
      const done = await runIn(folder, ["tools", ...args], app);
      const sent = app.asked.filter(({ request }) => request.startsWith("POST"))
        .map(({ request, body }) => [request, body]);
      return { ...done, sent };
    };
    const one = await run(["approve", "a.b"]);
    assert.match(one.stdout, /a\.b: pending, never approved\n.*\n.*"Does b"\n {2}pin 11/);
    assert.match(one.stderr, /Approved 1 tool of a\.b/);
    assert.deepEqual(one.sent, [["POST /tools/a.b/approve", { pin: "11" }]]);

    const named = await run(["block", "a.b", "--pin", "11"]);
    assert.deepEqual([named.code, named.sent], [0, [["POST /tools/a.b/block", { pin: "11" }]]]);
    const other = await run(["approve", "a.b", "--pin", "33"]);
    assert.deepEqual([other.code, other.sent], [1, []]);
    assert.match(other.stderr, /its pin is 11, not 33/);

    const glob = await run(["approve", "a.b*"]);
    assert.match(glob.stdout, /pin 11\n[^]*pin 22/);
    assert.deepEqual(glob.sent, [
      ["POST /tools/a.b/approve", { pin: "11" }],
      ["POST /tools/a.bb/approve", { pin: "22" }],
    ]);
    assert.equal((await run(["approve", "a.b*", "--pin", "11"])).code, 2);

    const late = await run(["approve", "a.b*", "--json"], { "POST /tools/a.b/approve": changed });
    assert.equal(late.code, 1);
    const { approved, refused } = JSON.parse(late.stdout);
    assert.deepEqual([approved.length, approved[0].name, refused[0].name], [1, "bb", "b"]);
    const said = await run(["approve", "a.b"], { "POST /tools/a.b/approve": changed });
    assert.match(said.stderr, /a\.b is no longer what was printed/);
    assert.match(said.stderr, /Approved 0 tools/);
  });
});

Deno.test("keys create prints the key alone on stdout and sends the span in milliseconds", async () => {
  await withFolder(async (folder) => {
    const { createApp, asked } = scriptedApp({
      "POST /keys": {
        id: "k1",
        name: "ci",
        key: "tg_k1_x",
        expiresAt: "2026-07-01T00:00:00Z",
        notes: ["No group asks for it"],
      },
    });
    const args = ["keys", "create", "--name", "ci", "--groups", "a, b", "--expires", "90d"];
    const run = await runIn(folder, args, { createApp });
    assert.deepEqual([run.code, run.stdout], [0, "tg_k1_x\n"]);
    assert.match(run.stderr, /No group asks for it/);
    assert.deepEqual(asked[0]?.body, {
      name: "ci",
      groups: ["a", "b"],
      expiresInMs: 7_776_000_000,
    });
    const nameless = await runIn(folder, ["keys", "create"], { createApp });
    assert.equal(nameless.code, 2);
    assert.match(nameless.stderr, /--name/);
  });
});

Deno.test("import writes toolgate.yaml, prints it, names the variables and keeps an existing file", async () => {
  await withFolder(async (folder) => {
    const client = { mcpServers: { gh: { command: "x", env: { GH_TOKEN: "ghp_0123456789abc" } } } };
    await Deno.writeTextFile(join(folder, "c.json"), JSON.stringify(client));
    const first = await runIn(folder, ["import", "c.json"]);
    assert.equal(first.code, 0);
    const text = await Deno.readTextFile(join(folder, "toolgate.yaml"));
    assert.equal(first.stdout, text);
    assert.deepEqual(Object.keys(parseConfig(text, "x").mcpServers), ["gh"]);
    assert.match(first.stderr, /GH_TOKEN {2}\(gh: env\.GH_TOKEN\)/);
    assert.doesNotMatch(first.stdout + first.stderr, /ghp_/);
    const second = await runIn(folder, ["import", "c.json"]);
    assert.equal(second.code, 2);
    assert.match(second.stderr, /exists and was not changed.*\n.*--force/);
    assert.equal((await runIn(folder, ["import", "c.json", "--force"])).code, 0);
    const json = await runIn(folder, ["import", "c.json", "--out", "-", "--json"]);
    assert.deepEqual(JSON.parse(json.stdout).servers, ["gh"]);
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "");
    assert.equal((await runIn(folder, ["import", "c.json"])).code, 0);
    assert.equal((await runIn(folder, ["import", "none.json"])).code, 2);
  });
});

Deno.test("audit list pages through the log up to its limit, one record per line", async () => {
  await withFolder(async (folder) => {
    const record = (seq: number) => ({ chain: "c", seq, ts: "2026-04-01", kind: "search" });
    const app = scriptedApp({
      "GET /audit": { records: Array.from({ length: 500 }, (_, seq) => record(seq)), next: "n1" },
    });
    const run = await runIn(
      folder,
      ["audit", "list", "--json", "--limit", "1000", "--since", "1h"],
      { ...app, now: () => 7_200_000 },
    );
    const lines = run.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 1000);
    assert.deepEqual(app.asked.map((asked) => asked.query), [
      "?since=3600000&limit=500",
      "?since=3600000&limit=500&after=n1",
    ]);
  });
});

Deno.test("audit refuses a filter that cannot be meant before it starts anything", async () => {
  await withFolder(async (folder) => {
    const wrong: [string[], RegExp][] = [
      [
        ["--effect", "denied"],
        /"--effect" is "denied"\n +Use one of allow, planned, ask, .*refused, deny/,
      ],
      [["--kind", "call"], /"--kind" is "call"\n +Use one of execution\.start, /],
      [["--since", "1d", "--until", "2d"], /--since is not before --until/],
      [["--since", "yesterday"], /"--since" is not a time/],
    ];
    for (const command of ["list", "tail", "export"]) {
      for (const [args, message] of wrong) {
        const app = scriptedApp({});
        const run = await runIn(folder, ["audit", command, ...args], app);
        assert.equal(run.code, 2, `${command} ${args}`);
        assert.match(run.stderr, message);
        assert.deepEqual(app.asked, []);
      }
    }
  });
});

Deno.test("audit list and show print decisions, reasons and code hashes for people", async () => {
  await withFolder(async (folder) => {
    const record = {
      v: 1,
      chain: "c",
      seq: 4,
      ts: "2026-04-01T00:00:00.000Z",
      kind: "call.outcome",
      actor: { sub: "ada", iss: "keys", client: "k", groups: [], scopes: [] },
      execution: "e1",
      call: "e1:0",
      code: { sha256: "abc123", bytes: 20 },
      tool: { server: "pay", name: "refund", access: "write" },
      decision: { effect: "deny", because: ["no-refund"], bundle: "d" },
      ms: { total: 1.26, policy: 0.01 },
      err: { code: "ERR_POLICY_DENIED", message: "Denied" },
    };
    const { createApp } = scriptedApp({
      "GET /audit": { records: [record] },
      "GET /audit/e1": { id: "e1", records: [record] },
    });
    const list = await runIn(folder, ["audit", "list"], { createApp });
    assert.match(
      list.stdout,
      /call\.outcome +ada +pay\.refund +deny +rule no-refund +ERR_POLICY_DENIED +1\.3 +e1/,
    );
    const show = await runIn(folder, ["audit", "show", "e1"], { createApp });
    assert.match(show.stdout, /sha256:abc123, 20 bytes/);
    assert.match(show.stdout, /deny, because of rule no-refund/);
    assert.match(show.stdout, /total 1\.26 ms, policy 0\.01 ms/);
    const json = await runIn(folder, ["audit", "show", "e1", "--json"], { createApp });
    assert.deepEqual(JSON.parse(json.stdout), record);
  });
});

Deno.test("audit show keeps a text that poses as records, or as commands of a terminal, in its line", async () => {
  await withFolder(async (folder) => {
    const message = "no\n2026-04-01T00:00:00.000Z  call.outcome  allow\u001b[2J\u202egnp";
    const record = {
      chain: "c",
      seq: 1,
      ts: "2026-04-01T00:00:00.000Z",
      kind: "admin",
      detail: { type: "audit.open" },
      err: { code: "ERR_PROGRAM", message },
    };
    const { createApp } = scriptedApp({ "GET /audit/e1": { id: "e1", records: [record] } });
    const { stdout } = await runIn(folder, ["audit", "show", "e1"], { createApp });
    assert.equal(stdout.trimEnd().split("\n").length, 3);
    assert.match(stdout, /error +ERR_PROGRAM: no 2026-04-01T00:00:00\.000Z +call\.outcome/);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x09\x0b-\x1f\u202e]/.test(stdout));
  });
});

Deno.test("audit tail prints the newest records and says when no service runs", async () => {
  await withFolder(async (folder) => {
    const records = [2, 1].map((seq) => ({ chain: "c", seq, ts: "t", kind: "search" }));
    const { createApp } = scriptedApp({ "GET /audit": { records } });
    const run = await runIn(folder, ["audit", "tail", "--json"], { createApp });
    assert.equal(run.code, 0);
    const seqs = run.stdout.trim().split("\n").map((line) => JSON.parse(line).seq);
    assert.deepEqual(seqs, [1, 2]);
    assert.match(run.stderr, /No service runs/);
  });
});

Deno.test("audit export passes bytes through, to standard output or a file", async () => {
  await withFolder(async (folder) => {
    const { createApp, asked } = scriptedApp({ "GET /audit/export": new Response("a,b\n1,2\n") });
    const run = await runIn(folder, ["audit", "export", "--format", "csv"], { createApp });
    assert.deepEqual([run.code, run.stdout], [0, "a,b\n1,2\n"]);
    assert.equal(asked[0]?.query, "?format=csv");
    await runIn(folder, ["audit", "export", "--out", "x/a.csv"], { createApp });
    assert.equal(await Deno.readTextFile(join(folder, "x/a.csv")), "a,b\n1,2\n");
  });
});

Deno.test("commands go to the running service, and only if that very process proves itself", async () => {
  await withFolder(async (folder) => {
    const { createApp, asked } = scriptedApp({ "GET /keys": { keys: [] } });
    const loaded = await loadConfig(undefined, {
      env: () => undefined,
      cwd: () => folder,
      readTextFile: Deno.readTextFile,
    });
    await Deno.mkdir(join(folder, "data"));
    const port = { token: "service-token" };
    const authorizations: (string | null)[] = [];
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname, searchParams } = new URL(request.url);
      authorizations.push(request.headers.get("authorization"));
      if (pathname === "/healthz") {
        const proof = proveService(port.token, searchParams.get("challenge") ?? "");
        return Response.json({ status: "ok", instance: "i1", proof });
      }
      return Response.json({ keys: [{ id: "from-service", name: "", groups: [], scopes: [] }] });
    });
    try {
      const url = `http://127.0.0.1:${server.addr.port}`;
      const service = { pid: 1, url, token: "service-token", instance: "i1" };
      const published = await publishServiceFile(
        serviceFilePaths(loaded, () => undefined),
        service,
      );
      assert.ok(published);
      const list = (now = Date.now) => runIn(folder, ["keys", "list"], { createApp, now });
      assert.match((await list()).stdout, /from-service/);
      assert.equal(asked.length, 0);
      assert.deepEqual(authorizations, [null, "Bearer service-token"]);
      const serve = await runIn(folder, ["serve"], { createApp });
      assert.equal(serve.code, 2);
      assert.match(serve.stderr, /process 1 already serves this store/);

      // Another program has the port: it knows the instance, which is public, and not the token.
      port.token = "guessed";
      authorizations.length = 0;
      let now = 0;
      const foreign = await list(() => now += 4_000);
      assert.equal(foreign.code, 4);
      assert.match(foreign.stderr, /process, 1, holds .* is not who answers there/);
      await published.withdraw();
      await Deno.writeTextFile(published.path, JSON.stringify(service));
      assert.equal((await list()).code, 0);
      assert.equal(asked.length, 1, "the service that wrote the file has ended");
      assert.deepEqual(new Set(authorizations), new Set([null]));
    } finally {
      await server.shutdown();
    }
  });
});

Deno.test("a command waits for another that has the store, not for ever", async () => {
  await withFolder(async (folder) => {
    const { createApp } = scriptedApp({ "GET /keys": { keys: [] } });
    const taken = new GateError("ERR_STORE", "Cannot open the store: process 7 has it open", {
      hint: "Wait",
      retryAfterMs: 1,
    });
    let attempts = 0;
    const waited = await runIn(folder, ["keys", "list"], {
      createApp: (options) => ++attempts < 4 ? Promise.reject(taken) : createApp(options),
    });
    assert.deepEqual([waited.code, attempts], [0, 4]);
    let now = 0;
    const gaveUp = await runIn(folder, ["keys", "list"], {
      now: () => now += 4_000,
      createApp: () => Promise.reject(taken),
    });
    assert.equal(gaveUp.code, 4);
    assert.match(gaveUp.stderr, /process 7 has it open/);
  });
});

Deno.test("serve prints the snippet, drains at the first signal and exits at the second", async () => {
  await withFolder(async (folder) => {
    const { createApp, state } = scriptedApp({});
    let signal = () => {};
    const exits: number[] = [];
    const started = Promise.withResolvers<void>();
    const running = runIn(folder, ["serve", "--json"], {
      createApp,
      onStopSignal: (listener) => {
        signal = listener;
        return () => signal = () => {};
      },
      exit: (code) => void exits.push(code),
      stdout: (text) => {
        const { mcpUrl, source } = JSON.parse(text);
        assert.deepEqual([mcpUrl, source], ["http://127.0.0.1:4000/mcp", "demo"]);
        started.resolve();
      },
    });
    await started.promise;
    signal();
    signal();
    const run = await running;
    assert.deepEqual([run.code, state.closed, exits], [0, true, [130]]);
    assert.match(run.stderr, /Console {2}http:\/\/127\.0\.0\.1:4000\/console/);
    const snippet = /client:\n\n(\{.*?\n\})/s.exec(run.stderr)?.[1] ?? "";
    assert.deepEqual(JSON.parse(snippet), {
      mcpServers: { toolgate: { type: "http", url: "http://127.0.0.1:4000/mcp" } },
    });
  });
});

Deno.test("serve without --json tells people on standard output where it is", async () => {
  await withFolder(async (folder) => {
    const { createApp } = scriptedApp({});
    let shown = "";
    const run = await runIn(folder, ["serve"], {
      createApp,
      onStopSignal: (listener) => {
        queueMicrotask(listener);
        return () => {};
      },
      stdout: (text) => shown += text,
    });
    assert.equal(run.code, 0);
    assert.match(shown, /http:\/\/127\.0\.0\.1:4000\/mcp[^]*"mcpServers"/);
    assert.doesNotMatch(run.stderr, /mcpServers/);
  });
});

Deno.test("serve names the port that is in use, and closes what it opened", async () => {
  await withFolder(async (folder) => {
    const { createApp, state } = scriptedApp({});
    const busy: typeof createApp = async (options) => ({
      ...await createApp(options),
      listen: () => Promise.reject(new Deno.errors.AddrInUse("in use")),
    });
    const run = await runIn(folder, ["serve", "--port", "4001"], { createApp: busy });
    assert.equal(run.code, 2);
    assert.match(run.stderr, /port 4001 is in use\n.*--port or server\.port/);
    assert.ok(state.closed);
  });
});

Deno.test("serve refuses to be reachable without authentication", async () => {
  await withFolder(async (folder) => {
    const createApp = () => assert.fail("started");
    const run = await runIn(folder, ["serve", "--host", "0.0.0.0"], { createApp });
    assert.equal(run.code, 2);
    assert.match(run.stderr, /"auth" is "none".*0\.0\.0\.0/);
  });
});

Deno.test("runCli() reports what nobody foresaw with its stack and exit code 1", async () => {
  await withFolder(async (folder) => {
    const createApp = () => Promise.reject(new RangeError("odd"));
    const run = await runIn(folder, ["keys", "list"], { createApp });
    assert.equal(run.code, 1);
    assert.match(run.stderr, /Internal error.*RangeError: odd\n\s+at /s);
    const known = () => Promise.reject(new GateError("ERR_STORE", "Locked", { hint: "Wait" }));
    const locked = await runIn(folder, ["keys", "list"], { createApp: known });
    assert.deepEqual([locked.code, locked.stderr], [4, "toolgate: Locked\n  Wait\n"]);
  });
});
