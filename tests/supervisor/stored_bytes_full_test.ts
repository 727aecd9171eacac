import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import type { ReplayReport } from "../../src/supervisor/program/replay.ts";
import { type TestApp, withApp } from "../fakes/app.ts";
import { startHttpMcpServer } from "../fakes/http_mcp_server.ts";

/** Everything is allowed, but for looking at a customer. */
const POLICY = `version: 1
name: closed-cards
rules:
  - { id: all, allow: [read, write, destructive] }
  - id: closed
    deny: [read, write, destructive]
    tools: [customers.get]
    when: 'args.id != ""'
`;

/** A program whose calls are all refused, with arguments that do not compress. */
const program = (calls: number, characters: number) =>
  `let x = 123456789, b = "";
while (b.length < ${characters}) {
  x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
  b += (x >>> 0).toString(36);
}
const text = b.slice(0, ${characters});
const codes = [];
for (let n = 0; n < ${calls}; n++) {
  try {
    if (n % 3 === 0) await tools.customers.get({ id: text + n });
    else if (n % 3 === 1) await tools.orders.refund({ no: text + n });
    else await tools.$search({ wrong: text + n });
  } catch (error) {
    codes.push(error.code);
  }
}
return codes;`;

interface Shown {
  readonly records: readonly AuditRecord[];
}

async function fileBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("t.kv")) bytes += (await Deno.stat(`${folder}/${name}`)).size;
  }
  return bytes;
}

async function withFile(
  config: { readonly [key: string]: unknown },
  use: (test: TestApp, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-stored-" });
  try {
    const store = `kv:${folder}/t.kv`;
    await withApp({ policy: POLICY, store, ...config }, (test) => use(test, folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a program whose calls are all refused fills no disk, and replays over what was cut", async () => {
  await withFile({}, async ({ execute, json }, folder) => {
    await execute("return 1");
    const before = await fileBytes(folder);
    const calls = 12;
    const { executionId, result, status, error } = await execute(program(calls, 1_000_000));
    assert.equal(status, "ok", JSON.stringify(error));
    const codes = new Set(result as string[]);
    assert.deepEqual(codes, new Set(["ERR_INVALID_ARGUMENTS", "ERR_POLICY_DENIED"]));
    const grown = await fileBytes(folder) - before;
    // Twelve megabytes of arguments; pages of the store and its write-ahead log are counted, too.
    assert.ok(grown < 3_000_000, `${grown} bytes`);
    const { records } = await json<Shown>("GET", `/audit/${executionId}`);
    const refused = records.filter(({ args }) => args?.cut !== undefined);
    assert.equal(refused.length, calls);
    for (const { args } of refused) assert.ok(args?.cut === 16_384 && args.bytes > 1_000_000);
    const replay = await json<ReplayReport>("POST", `/audit/replay/${executionId}`);
    assert.equal(replay.verdict, "identical", JSON.stringify(replay.divergence));
    assert.equal(replay.calls.matched, calls);
    const verified = await json<{ ok: boolean }>("POST", "/audit/verify");
    assert.equal(verified.ok, true, JSON.stringify(verified));
  });
});

Deno.test("a program over the code limit leaves its digest, not its text", async () => {
  await withFile({}, async ({ execute, json }, folder) => {
    await execute("return 1");
    const before = await fileBytes(folder);
    const hex = () => crypto.getRandomValues(new Uint8Array(60_000)).toHex();
    const code = `return "${Array.from({ length: 8 }, hex).join("")}";`;
    const { executionId, error } = await execute(code);
    assert.equal(error?.code, "ERR_SANDBOX_CODE_SIZE");
    assert.ok(await fileBytes(folder) - before < 600_000);
    const { records } = await json<Shown>("GET", `/audit/${executionId}`);
    assert.equal(records[0]?.code?.bytes, code.length);
    const verified = await json<{ ok: boolean }>("POST", "/audit/verify");
    assert.equal(verified.ok, true, JSON.stringify(verified));
  });
});

Deno.test("a used up budget refuses new work with the time it frees, and cuts nothing that runs", async () => {
  await using upstream = startHttpMcpServer("stateless");
  const mcpServers = { far: { url: upstream.url } };
  const limits = { storedBytesPerDayMax: 1_048_576 };
  const policy =
    "version: 1\nname: open\nrules: [{ id: all, allow: [read, write, destructive] }]\n";
  await withFile({ limits, mcpServers, policy }, async ({ execute, ask, json }, folder) => {
    const noise = `let x = 7, b = ""; while (b.length < 400000) { x ^= x << 13; x ^= x >>> 17; ` +
      `x ^= x << 5; b += (x >>> 0).toString(36); }`;
    // The last calls of this program come after the budget is used up, and are recorded.
    const { result, executionId, error } = await execute(`${noise}
      for (let n = 0; n < 4; n++) await tools.far.echo({ text: b + n });
      return "whole";`);
    assert.equal(result, "whole", JSON.stringify(error));
    for (
      const [path, body] of [
        ["/execute", { code: "return 1" }],
        ["/search", { query: "orders" }],
        ["/feedback", { execution: executionId, success: true }],
      ] as const
    ) {
      const refused = await ask("POST", path, body);
      const problem = await refused.json();
      assert.equal(refused.status, 429, `${path} ${JSON.stringify(problem)}`);
      assert.equal(problem.code, "ERR_LIMIT_REACHED");
      assert.match(problem.message, /Nothing was started.*1048576 bytes until \d{4}-\d\d-\d\dT/);
      assert.ok(Number(refused.headers.get("retry-after")) <= 86_400);
    }
    const newest = async () => (await json<Shown>("GET", "/audit?limit=1")).records[0]?.seq;
    const before = [await newest(), await fileBytes(folder)];
    for (let n = 0; n < 50; n++) await (await ask("POST", "/execute", { code: "1" })).text();
    // The limit itself is recorded once, and a checkpoint may have been due.
    assert.ok((await newest() ?? 0) <= (before[0] ?? 0) + 2, "refusals leave records");
    // The write-ahead log may have been written back meanwhile.
    assert.ok(await fileBytes(folder) - (before[1] ?? 0) < 3_000_000);
    const { records } = await json<Shown>("GET", "/audit?kind=limit.hit");
    assert.equal(records.length, 1);
    assert.equal(records[0]?.detail?.limit, "storedBytesPerDayMax");
    const replay = await json<ReplayReport>("POST", `/audit/replay/${executionId}`);
    assert.equal(replay.verdict, "identical", JSON.stringify(replay.divergence));
    const verified = await json<{ ok: boolean }>("POST", "/audit/verify");
    assert.equal(verified.ok, true, JSON.stringify(verified));
  });
});
