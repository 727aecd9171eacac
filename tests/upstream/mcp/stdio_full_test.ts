import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import {
  callOf,
  isAlive,
  openTestUpstreams,
  rawServer,
  readJournal,
  temporaryJournal,
  until,
} from "../../fakes/upstream_parts.ts";

const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;

function firstText(answer: { content: readonly unknown[] }): string {
  return (answer.content[0] as { text: string }).text;
}

Deno.test("list() gives every definition of a stdio server, malformed ones too", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  assert.deepEqual(upstreams.status("raw"), { status: "starting", error: null });
  const listing = await upstreams.list("raw");
  assert.equal(listing.title, "Raw server");
  assert.equal(listing.tools.length, 18);
  assert.ok(listing.tools.includes("not even an object"));
  assert.deepEqual(upstreams.status("raw"), { status: "ready", error: null });
});

Deno.test("list() says why a server does not start, a call only that it does not", async () => {
  const dying = {
    command: Deno.execPath(),
    args: ["eval", "console.error('No licence'); Deno.exit(3)"],
  };
  await using upstreams = openTestUpstreams({ mcpServers: { dying } });
  await assert.rejects(upstreams.list("dying"), /^GateError: Cannot reach "dying": .*No licence/);
  await assert.rejects(
    upstreams.call(callOf("dying", "echo")),
    (error) => withCode("ERR_UPSTREAM_UNREACHABLE")(error) && !/licence/.test(String(error)),
  );
});

Deno.test("call() sends arguments, idempotency key and trace context", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const answer = await upstreams.call(
    callOf("raw", "echo", { a: 1 }, { idempotencyKey: "e1:4", traceparent }),
  );
  assert.deepEqual(answer.structuredContent, { a: 1 });
  assert.equal(answer.isError, false);
  assert.equal(answer.credential, "none");
  const { content, structuredContent } = answer;
  assert.equal(answer.bytes, JSON.stringify({ content, structuredContent }).length);
  const [, call] = await readJournal(journal.path);
  const meta = call?.meta as { [key: string]: unknown };
  assert.equal(meta["toolgate/idempotencyKey"], "e1:4");
  assert.equal(meta.traceparent, traceparent);
});

Deno.test("call() answers with the server's own words when it refuses a call", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const answer = await upstreams.call(callOf("raw", "nothing"));
  assert.equal(answer.isError, true);
  assert.match(firstText(answer), /Unknown tool: nothing/);
});

Deno.test("call() says that the outcome is unknown when the child dies, and the next call works", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  await upstreams.call(callOf("raw", "echo"));
  await assert.rejects(upstreams.call(callOf("raw", "crash")), withCode("ERR_OUTCOME_UNKNOWN"));
  const answer = await upstreams.call(callOf("raw", "echo", { again: true }));
  assert.deepEqual(answer.structuredContent, { again: true });
  const journalled = await readJournal(journal.path);
  assert.equal(journalled.filter(({ event }) => event === "start").length, 2);
  assert.equal(journalled.filter(({ name }) => name === "crash").length, 1);
});

Deno.test("a child that dies is started again by itself, and its lists are asked for again", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const changed: string[] = [];
  upstreams.onListChanged((server) => changed.push(server));
  await assert.rejects(upstreams.call(callOf("raw", "crash")), withCode("ERR_OUTCOME_UNKNOWN"));
  await until("the change is told", () => changed.length > 0);
  assert.deepEqual(changed, ["raw"]);
  assert.equal(upstreams.status("raw").status, "ready");
});

Deno.test("call() fails at once when an answer is none, instead of waiting for another", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  for (const result of ["null", "7", '{"n":NaN}', '{"content":[]', "", '"\\x"']) {
    await assert.rejects(
      upstreams.call(callOf("raw", "malformed", { result })),
      withCode("ERR_UPSTREAM_RESULT"),
      result,
    );
  }
  assert.equal(upstreams.status("raw").status, "ready");
});

Deno.test("call() reads an answer of 20 MB", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const answer = await upstreams.call(callOf("raw", "big", { bytes: 20_000_000 }));
  assert.equal(firstText(answer).length, 20_000_000);
  assert.ok(answer.bytes >= 20_000_000);
});

Deno.test("call() refuses an answer over the call's limit and takes one at it", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const overhead = (await upstreams.call(callOf("raw", "big", { bytes: 0 }))).bytes;
  const at = { resultBytesMax: 10_000 };
  const fits = await upstreams.call(callOf("raw", "big", { bytes: 10_000 - overhead }, at));
  assert.equal(fits.bytes, 10_000);
  await assert.rejects(
    upstreams.call(callOf("raw", "big", { bytes: 10_001 - overhead }, at)),
    withCode("ERR_UPSTREAM_RESULT"),
  );
});

Deno.test("a message over the service's limit fails its own call and no other", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } }, {
    resultBytesMax: 1_000,
  });
  const [big, small] = await Promise.allSettled([
    upstreams.call(callOf("raw", "big", { bytes: 17_000_000 })),
    upstreams.call(callOf("raw", "echo", { small: true })),
  ]);
  assert.ok(big.status === "rejected" && withCode("ERR_UPSTREAM_RESULT")(big.reason));
  assert.ok(small.status === "fulfilled");
  const after = await upstreams.call(callOf("raw", "echo", { after: true }));
  assert.deepEqual(after.structuredContent, { after: true });
  const starts = (await readJournal(journal.path)).filter(({ event }) => event === "start");
  assert.equal(starts.length, 1);
});

Deno.test("garbage between messages is skipped", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const answer = await upstreams.call(callOf("raw", "garbage"));
  assert.equal(firstText(answer), "after the garbage");
});

Deno.test("call() fails at once when the answer has the id of no request", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  await assert.rejects(upstreams.call(callOf("raw", "wrong_id")), withCode("ERR_UPSTREAM_RESULT"));
  await upstreams.call(callOf("raw", "echo"));
});

Deno.test("call() fails at once when what is written cannot be its answer", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const written = (text: string) => upstreams.call(callOf("raw", "written", { text }));
  const texts = [
    '{"jsonrpc":"2.0","id":$ID,"result":[{"type":"text","text":"x"}]}',
    '{"jsonrpc":"2.0","id":$ID,"result":{},"error":{"code":-1,"message":"both"}}',
    '{"jsonrpc":"2.0","id":$ID,"error":{"code":-32000}}',
    '{"jsonrpc":"2.0","id":$ID}',
    '{"id":$ID,"result":{}}',
    '{"jsonrpc":"2.0","id":null,"result":{}}',
    '{"jsonrpc":"2.0","id":[$ID],"result":{}}',
    '{"jsonrpc":"2.0","id":$ID,"result":{"n":NaN}}',
    '{\n  "jsonrpc": "2.0",\n  "id": $ID,\n  "result": {}\n}',
  ];
  for (const text of texts) {
    await assert.rejects(written(`${text}\n`), withCode("ERR_UPSTREAM_RESULT"), text);
  }
  assert.equal(upstreams.status("raw").status, "ready");
});

Deno.test("call() gives the words of an odd error, and takes an answer with odd members", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const written = (text: string) => upstreams.call(callOf("raw", "written", { text: `${text}\n` }));
  const errors = [
    '{"jsonrpc":"2.0","id":$ID,"error":{"code":"E_LIMIT","message":"Daily limit"}}',
    '{"jsonrpc":"2.0","id":$ID,"error":"Daily limit"}',
    '{"jsonrpc":"2.0","id":$ID,"error":{"code":-1,"message":"no","data":"Daily limit"}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"Daily limit"}}',
    '{"jsonrpc":"2.0","error":{"code":-1,"message":"Daily limit"}}',
    '[{"jsonrpc":"2.0","id":$ID,"error":{"code":-1,"message":"Daily limit"}}]',
  ];
  for (const text of errors) {
    const answer = await written(text);
    assert.equal(answer.isError, true);
    assert.match(firstText(answer), /Daily limit/, text);
  }
  const result = '"result":{"content":[{"type":"text","text":"good"}]}';
  for (
    const text of [
      `{"jsonrpc":"2.0","id":$ID,${result},"error":null}`,
      `{"jsonrpc":"2.0","id":$ID,${result},"ms":7}`,
      `{"jsonrpc":"2.0","id":"$ID",${result}}`,
      `[{"jsonrpc":"2.0","id":$ID,${result}}]`,
      `{"level":"error","error":"a log"}\n{"jsonrpc":"2.0","id":$ID,${result}}`,
    ]
  ) {
    assert.equal(firstText(await written(text)), "good", text);
  }
});

Deno.test("calls at the same time that are answered without an id fail at once", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  await upstreams.list("raw");
  const text = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n';
  const calls = Array.from({ length: 3 }, () => upstreams.call(callOf("raw", "written", { text })));
  for (const settled of await Promise.allSettled(calls)) {
    assert.ok(settled.status === "rejected" && withCode("ERR_UPSTREAM_RESULT")(settled.reason));
  }
});

Deno.test("call() times out after silence, and progress resets the clock", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: { raw: rawServer(journal.path, { timeoutMs: 600 }) },
  });
  await assert.rejects(upstreams.call(callOf("raw", "hang")), withCode("ERR_UPSTREAM_TIMEOUT"));
  const answer = await upstreams.call(callOf("raw", "progress", { steps: 6, everyMs: 150 }));
  assert.equal(firstText(answer), "done");
});

Deno.test("call() passes a cancellation on to the server", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const stop = new AbortController();
  const hanging = upstreams.call(callOf("raw", "hang", {}, { signal: stop.signal }));
  await until(
    "the call arrives",
    async () => (await readJournal(journal.path)).some(({ event }) => event === "call"),
  );
  stop.abort();
  await assert.rejects(hanging, withCode("ERR_CANCELLED"));
  await until(
    "the server hears it",
    async () => (await readJournal(journal.path)).some(({ event }) => event === "cancelled"),
  );
});

Deno.test("a hanging server does not hold up another", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: {
      raw: rawServer(journal.path),
      silent: { command: "sleep", args: ["300"] },
      missing: { command: "toolgate-no-such-command" },
    },
  });
  const silent = upstreams.list("silent").then(() => "listed", () => "ended");
  await assert.rejects(upstreams.list("missing"), withCode("ERR_UPSTREAM_UNREACHABLE"));
  assert.equal(upstreams.status("missing").status, "down");
  const answer = await upstreams.call(callOf("raw", "echo", { ok: 1 }));
  assert.deepEqual(answer.structuredContent, { ok: 1 });
  assert.equal(upstreams.status("silent").status, "starting");
  await upstreams.close();
  assert.equal(await silent, "ended");
});

Deno.test("a flood of list_changed becomes one notice a second", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  let notices = 0;
  upstreams.onListChanged(() => notices++);
  const startedAt = Date.now();
  await upstreams.call(callOf("raw", "flood", { times: 5_000 }));
  await upstreams.call(callOf("raw", "flood", { times: 5_000 }));
  await until("the change is told", () => notices > 0);
  assert.ok(notices <= 1 + (Date.now() - startedAt) / 1_000, `${notices} notices`);
});

Deno.test("sampling, elicitation and roots are refused", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  await upstreams.call(callOf("raw", "ask"));
  const answers = await until("all three are answered", async () => {
    const found = (await readJournal(journal.path)).filter(({ event }) => event === "answer");
    return found.length === 3 && found;
  });
  for (const { error } of answers) assert.ok(error !== undefined);
});

Deno.test("a child sees the allowed names of our environment and its own, with secrets resolved", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: { raw: rawServer(journal.path, { env: { API_KEY: "${env:SECRET}", PLAIN: "x" } }) },
  }, {
    env: () => ({ PATH: Deno.env.get("PATH") ?? "", HOME: "/nowhere", GITHUB_TOKEN: "other" }),
  });
  const { structuredContent } = await upstreams.call(callOf("raw", "environment"));
  const environment = structuredContent as { [name: string]: string };
  const noted = (await readJournal(journal.path)).find(({ event }) => event === "environment");
  assert.equal(noted?.API_KEY, "s3cret-value-1234");
  // What it was given it cannot hand on.
  assert.equal(environment.API_KEY, "***");
  assert.equal(environment.PLAIN, "x");
  assert.equal(environment.HOME, "/nowhere");
  assert.ok(!("GITHUB_TOKEN" in environment));
  assert.ok(!upstreams.logged.some((line) => line.includes("s3cret-value")));
});

Deno.test("close() ends what the child has started", async () => {
  using journal = temporaryJournal();
  const upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal.path) } });
  const { structuredContent } = await upstreams.call(callOf("raw", "fork"));
  const { pid, child } = structuredContent as { pid: number; child: number };
  assert.deepEqual([await isAlive(pid), await isAlive(child)], [true, true]);
  await upstreams.close();
  assert.deepEqual([await isAlive(pid), await isAlive(child)], [false, false]);
});

Deno.test("an idle child stops and starts again on demand", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: { raw: rawServer(journal.path, { idleStopMs: 50 }) },
  });
  await upstreams.call(callOf("raw", "echo"));
  await until(
    "it stopped",
    async () => (await readJournal(journal.path)).some(({ event }) => event === "stdin closed"),
  );
  assert.equal(upstreams.status("raw").status, "ready");
  const answer = await upstreams.call(callOf("raw", "echo", { back: true }));
  assert.deepEqual(answer.structuredContent, { back: true });
});
