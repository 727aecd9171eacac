/** `audit verify` against a real log: through the service, and offline over an export. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startShipping } from "../../src/audit/ship/ship.ts";
import type { AuditReport } from "../../src/audit/verify/verify_audit.ts";
import { AuditSchema } from "../../src/config/schema.ts";
import { makeAuditFolder, writeExecutions } from "../audit/audit_fixture.ts";
import { runIn, withFolder } from "./cli_fixture.ts";

const CONFIG = "sandbox: { warm: 0 }\npreflight: off\nserver: { port: 0 }\nstore: kv:./log.kv\n";

/** A folder whose log has a dozen records and more. */
async function withLog(use: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), CONFIG);
    for (const word of ["orders", "customers", "invoices"]) {
      assert.equal((await runIn(folder, ["search", word])).code, 0);
    }
    await use(folder);
  });
}

const verify = (folder: string, ...args: string[]) => runIn(folder, ["audit", "verify", ...args]);

Deno.test("audit verify says what is anchored, and that the log is whole", async () => {
  await withLog(async (folder) => {
    const run = await verify(folder);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /^main: ok, \d+ records, anchored 0-\d+/);
    const json = await verify(folder, "--json");
    const report: AuditReport = JSON.parse(json.stdout);
    assert.equal(report.ok, true);
    assert.ok(report.records > 3);
  });
});

Deno.test("audit verify --file checks an export with nothing but a public key", async (t) => {
  await withLog(async (folder) => {
    const file = join(folder, "export.jsonl");
    const whole = ["--file", "export.jsonl", "--key", "log.kv.signing.pub"];
    assert.equal((await runIn(folder, ["audit", "export", "--out", file])).code, 0);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    const write = (changed: readonly string[]) =>
      Deno.writeTextFile(file, `${changed.join("\n")}\n`);

    await t.step("whole, with and without anchors", async () => {
      const run = await verify(folder, ...whole);
      assert.equal(run.code, 0, run.stdout);
      assert.match(run.stderr, new RegExp(`${lines.length} records in 1 chain: ok`));
      const anchored = await verify(folder, ...whole, "--anchors", "log.kv.checkpoints", "--json");
      assert.equal(anchored.code, 0, anchored.stdout);
      assert.notEqual(JSON.parse(anchored.stdout).chains[0].anchored, null);
    });
    await t.step("an edited record is the first bad one", async () => {
      const at = lines.findIndex((line) => line.includes('"search"'));
      await write(lines.with(at, lines[at]?.replace("orders", "0rders") ?? ""));
      const run = await verify(folder, ...whole);
      assert.equal(run.code, 1);
      assert.match(run.stderr, new RegExp(`First bad record: main #${at}, edited`));
    });
    await t.step("a record that is gone is named", async () => {
      await write(lines.toSpliced(2, 1));
      const run = await verify(folder, ...whole, "--json");
      assert.equal(run.code, 1);
      const report: AuditReport = JSON.parse(run.stdout);
      assert.deepEqual([report.firstBad?.kind, report.firstBad?.seq], ["missing", 2]);
    });
    await t.step("an end that was cut off leaves records that nothing vouches for", async () => {
      const last = lines.findLastIndex((line) => !line.includes('"kind":"checkpoint"'));
      await write(lines.slice(0, last + 1));
      const run = await verify(folder, ...whole);
      assert.equal(run.code, 1);
      assert.match(run.stderr, /First bad record: main #\d+, unsigned: No signed checkpoint/);
      assert.equal((await verify(folder, ...whole, "--unsigned-tail")).code, 0);
    });
    await t.step("a line that is not a record is named by its number", async () => {
      await write(lines.with(3, "seq,ts,kind"));
      const run = await verify(folder, ...whole);
      assert.equal(run.code, 1);
      assert.match(run.stderr, /First bad record: main #3, malformed: Line 4 is not JSON/);
    });
    await t.step("an end that was cut off shows against the anchors", async () => {
      await write(lines.slice(0, -2));
      const run = await verify(folder, ...whole, "--anchors", "log.kv.checkpoints");
      assert.equal(run.code, 1);
      assert.match(run.stderr, /truncated/);
    });
  });
});

Deno.test("audit verify names what is missing or no key", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "e.jsonl"), "");
    await Deno.writeTextFile(join(folder, "k"), "not a key\n");
    const wrong: [string[], RegExp][] = [
      [["--file", "e.jsonl"], /--key is missing/],
      [["--file", "e.jsonl", "--key", "none"], /no such file/],
      [["--file", "e.jsonl", "--key", "k"], /not a public key/],
      [["--key", "k"], /needs --file/],
    ];
    for (const [args, message] of wrong) {
      const run = await verify(folder, ...args);
      assert.equal(run.code, 2, args.join(" "));
      assert.match(run.stderr, message);
    }
  });
});

Deno.test("audit verify --file checks a folder of shipped segments", async (t) => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open();
  const shipping = startShipping({
    store,
    signNote: log.signNote,
    resolveSecrets: (text) => Promise.resolve(text),
    log: () => {},
    retentionMs: 90 * 86_400_000,
  }, AuditSchema.parse({ ship: [{ to: `file:${audit.folder}/ship` }] }).ship);
  await writeExecutions(log, 3);
  await shipping.flush();
  await shipping.close();
  await log.close();
  await store.close();
  const ship = join(audit.folder, "ship");
  const segments = ["--file", "ship", "--key", `${audit.keysPath}.signing.pub`];
  const files = (await Array.fromAsync(Deno.readDir(ship), ({ name }) => name)).sort();
  assert.equal(files.length, 2);

  await t.step("whole", async () => {
    const run = await verify(audit.folder, ...segments);
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /^main: ok.*\nsegments: ok, 1, 20 records$/m);
    const json = await verify(audit.folder, ...segments, "--json");
    assert.equal(JSON.parse(json.stdout).segments.ok, true);
  });
  await t.step("edited", async () => {
    const path = join(ship, files[0] ?? "");
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("ada", "eve"));
    const run = await verify(audit.folder, ...segments);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /First bad segment: .* is not what was signed/);
  });
  await t.step("gone", async () => {
    for (const name of files) await Deno.remove(join(ship, name));
    const run = await verify(audit.folder, ...segments);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /There is no segment with a note/);
  });
  await audit.remove();
});
