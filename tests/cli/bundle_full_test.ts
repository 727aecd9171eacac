/** Signed policy bundles from the key to the decision, through the command line and a real service. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { resolvePaths } from "../../src/config/resolve_paths.ts";
import type { CliDeps } from "../../src/cli/command.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import type { ExecutionResult } from "../../src/model/execution.ts";
import { type CliRun, runIn, withFolder } from "./cli_fixture.ts";

const CONFIG = {
  server: { port: 0, drainMs: 200 },
  store: "kv:./toolgate.kv",
  sandbox: { warm: 1 },
  preflight: "off",
  policies: "./policies",
  bundle: { path: "./active/site.bundle.json", trust: ["./keys/site.pub.json"] },
};
const READS = `
version: 1
name: site
tools: { orders: { read: [list, get] } }
rules: [{ id: read, allow: read }]
`;
const DENIES = `
version: 1
name: site
tools: { orders: { read: [list, get] } }
rules:
  - { id: read, allow: read }
  - { id: closed, deny: read, tools: [orders.get], when: 'args.id != ""', message: Closed }
`;
const DAY_MS = 86_400_000;

/** The embedded servers, under the configuration of a folder. */
const demo: Partial<CliDeps> = {
  createApp: (options) => createApp({ ...options, source: "demo" }),
};

interface Site {
  readonly folder: string;
  toolgate(args: readonly string[], changes?: Partial<CliDeps>): Promise<CliRun>;
  /** Builds and signs a bundle of a policy. @returns its path and digest. */
  make(
    seq: number,
    policy: string,
    changes?: Partial<CliDeps>,
  ): Promise<{ file: string; digest: string }>;
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.json"), JSON.stringify(CONFIG));
    await Deno.mkdir(join(folder, "policies"));
    await Deno.writeTextFile(join(folder, "policies", "site.yaml"), READS);
    const toolgate: Site["toolgate"] = (args, changes) =>
      runIn(folder, args, { ...demo, ...changes });
    const make: Site["make"] = async (seq, policy, changes) => {
      await Deno.writeTextFile(join(folder, "policies", "site.yaml"), policy);
      const file = join(folder, `${seq}.json`);
      const args = ["--seq", `${seq}`, "--not-after", "1d", "--out", file];
      const built = await toolgate(["bundle", "build", ...args, "--json"], changes);
      assert.equal(built.code, 0, built.stderr);
      const signed = await toolgate(["bundle", "sign", file, "--key", "keys/site.key.json"]);
      assert.equal(signed.code, 0, signed.stderr);
      return { file, digest: JSON.parse(built.stdout).digest };
    };
    await use({ folder, toolgate, make });
  });
}

/** The service of the folder, in this process, as commands find it. */
async function withService(
  folder: string,
  use: (
    ask: <T>(method: string, path: string, body?: unknown) => Promise<T>,
  ) => Promise<void>,
): Promise<void> {
  const config = resolvePaths(ConfigSchema.parse(CONFIG), folder);
  const app = await createApp({ config, source: "demo", baseDir: folder, log: () => {} });
  try {
    const { url } = await app.listen();
    await use(async (method, path, body) => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await response.json();
    });
  } finally {
    await app.close();
  }
}

const PROGRAM = { code: 'return (await tools.orders.get({ id: "ord-00001" })).id' };

Deno.test("a bundle is made, signed, activated, decides, and is in every record", async (t) => {
  await withSite(async ({ folder, toolgate, make }) => {
    const active = join(folder, "active", "site.bundle.json");
    await t.step("keygen makes two files and never overwrites a key", async () => {
      assert.equal((await toolgate(["bundle", "keygen", "keys/site"])).code, 0);
      const { mode } = await Deno.stat(join(folder, "keys/site.key.json"));
      assert.equal((mode ?? 0) & 0o777, 0o600);
      const publicKey = await Deno.readTextFile(join(folder, "keys/site.pub.json"));
      assert.equal(JSON.parse(publicKey).d, undefined);
      assert.equal((await toolgate(["bundle", "keygen", "keys/site"])).code, 2);
    });
    const first = await make(1, READS);
    await t.step("build pins what the catalog approved and keeps paths to itself", async () => {
      const text = await Deno.readTextFile(first.file);
      const { bundle } = JSON.parse(text);
      assert.match(bundle.pins.orders.get, /^[0-9a-f]{64}$/);
      assert.equal(bundle.policies[0].path, "site.yaml");
      assert.ok(!text.includes(folder));
    });
    await t.step("verify accepts it, and not with another key or without a signature", async () => {
      assert.equal((await toolgate(["bundle", "verify", first.file])).code, 0);
      await toolgate(["bundle", "keygen", "keys/other"]);
      const trust = ["--trust", "keys/other.pub.json"];
      const foreign = await toolgate(["bundle", "verify", first.file, ...trust, "--json"]);
      assert.equal(foreign.code, 1);
      assert.match(JSON.parse(foreign.stdout).reason, /no trusted key signed it/);
      const { bundle } = JSON.parse(await Deno.readTextFile(first.file));
      const unsigned = join(folder, "unsigned.json");
      await Deno.writeTextFile(unsigned, JSON.stringify(bundle));
      assert.equal((await toolgate(["bundle", "verify", unsigned])).code, 1);
    });
    await t.step("activate without a service puts it in its place", async () => {
      const run = await toolgate(["bundle", "activate", first.file]);
      assert.equal(run.code, 0, run.stdout + run.stderr);
      assert.equal(await Deno.readTextFile(active), await Deno.readTextFile(first.file));
      const check = JSON.parse((await toolgate(["policy", "check", "--json"])).stdout);
      assert.deepEqual([check.ok, check.digest], [true, first.digest]);
    });
    const second = await make(2, DENIES);
    await withService(folder, async (ask) => {
      const decide = async () => {
        const { executionId, ...ran } = await ask<ExecutionResult>("POST", "/execute", PROGRAM);
        const { records } = await ask<{ records: AuditRecord[] }>("GET", `/audit/${executionId}`);
        const call = records.find(({ call }) => call !== undefined);
        return { status: ran.status, decision: call?.decision, message: ran.error?.message ?? "" };
      };
      await t.step("the service decides by it, and its records name it", async () => {
        const { status, decision } = await decide();
        assert.equal(status, "ok");
        assert.equal(decision?.bundle, first.digest);
      });
      await t.step("activate has the running service decide by the next one", async () => {
        const run = await toolgate(["bundle", "activate", second.file, "--json"]);
        assert.equal(run.code, 0, run.stdout + run.stderr);
        assert.equal(JSON.parse(run.stdout).digest, second.digest);
        const { status, decision, message } = await decide();
        assert.equal(status, "denied");
        assert.match(message, /Closed/);
        assert.equal(decision?.bundle, second.digest);
      });
      await t.step("an older number is refused, and what was in force stays", async () => {
        const run = await toolgate(["bundle", "activate", first.file]);
        assert.equal(run.code, 1);
        assert.match(run.stdout, /number 1 is older than 2/);
        assert.equal(await Deno.readTextFile(active), await Deno.readTextFile(second.file));
        assert.equal((await decide()).decision?.bundle, second.digest);
      });
      await t.step("a changed one is refused before it is written", async () => {
        const changed = join(folder, "changed.json");
        const text = await Deno.readTextFile(second.file);
        await Deno.writeTextFile(changed, text.replace('"seq": 2', '"seq": 3'));
        const run = await toolgate(["bundle", "activate", changed]);
        assert.equal(run.code, 1);
        assert.match(run.stdout, /no trusted key signed it as it is/);
        assert.equal((await decide()).decision?.bundle, second.digest);
      });
      await t.step("a stale one denies everything, with a warning", async () => {
        const stale = await make(4, READS, { now: () => Date.now() - 3 * DAY_MS });
        const verified = await toolgate(["bundle", "verify", stale.file]);
        assert.equal(verified.code, 1);
        assert.match(verified.stdout, /stale since/);
        const run = await toolgate(["bundle", "activate", stale.file]);
        assert.equal(run.code, 0, run.stdout + run.stderr);
        assert.match(run.stderr, /Warning: .*stale/);
        const { status, decision } = await decide();
        assert.equal(status, "denied");
        assert.deepEqual(decision?.because, ["bundle-expired"]);
      });
    });
  });
});

Deno.test("bundle activate without a service refuses an older number and keeps the file", async () => {
  await withSite(async ({ folder, toolgate, make }) => {
    await toolgate(["bundle", "keygen", "keys/site"]);
    const first = await make(1, READS);
    const second = await make(2, DENIES);
    assert.equal((await toolgate(["bundle", "activate", second.file])).code, 0);
    const run = await toolgate(["bundle", "activate", first.file]);
    assert.equal(run.code, 1, run.stdout);
    assert.match(run.stdout, /older than 2/);
    const active = await Deno.readTextFile(join(folder, "active", "site.bundle.json"));
    assert.equal(active, await Deno.readTextFile(second.file));
  });
});

Deno.test("a configuration that names only the file takes the keys beside it", async () => {
  await withSite(async ({ folder, toolgate, make }) => {
    await toolgate(["bundle", "keygen", "keys/site"]);
    const { file } = await make(1, DENIES);
    const config = { ...CONFIG, bundle: "./active/site.bundle.json" };
    await Deno.writeTextFile(join(folder, "toolgate.json"), JSON.stringify(config));
    const activated = await toolgate(["bundle", "activate", file]);
    assert.equal(activated.code, 0, activated.stderr);
    await Deno.writeTextFile(join(folder, "program.ts"), PROGRAM.code);
    const run = await toolgate(["run", "program.ts", "--json"]);
    assert.equal(run.code, 3);
    assert.match(run.stdout, /ERR_POLICY_DENIED.*Closed/);
    await Deno.rename(join(folder, "keys/site.pub.json"), join(folder, "site.pub.json"));
    const keyless = await toolgate(["run", "program.ts"]);
    assert.equal(keyless.code, 2);
    assert.match(keyless.stderr, /Cannot use the keys at .*keys: there is none/);
  });
});

Deno.test("bundle commands say what is missing", async () => {
  await withSite(async ({ folder, toolgate }) => {
    const build = (...args: string[]) => toolgate(["bundle", "build", "--out", "b.json", ...args]);
    for (
      const args of [["--seq", "1"], ["--not-after", "1d"], ["--seq", "0", "--not-after", "1d"]]
    ) {
      assert.equal((await build(...args)).code, 2, args.join(" "));
    }
    assert.equal((await toolgate(["bundle", "sign", "none.json", "--key", "none"])).code, 2);
    assert.equal((await toolgate(["bundle", "verify", "none.json"])).code, 2);
    await Deno.writeTextFile(join(folder, "toolgate.json"), '{"policies":"./policies"}');
    const run = await toolgate(["bundle", "activate", "b.json"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /bundle: \{ path/);
  });
});

Deno.test("bundle build refuses a policy that fails its own tests", async () => {
  await withSite(async ({ folder, toolgate }) => {
    const tests = "tests: [{ as: {}, call: orders.get, args: {}, expect: deny }]\n";
    await Deno.writeTextFile(join(folder, "policies", "site.yaml"), READS + tests);
    const args = ["--no-pins", "--seq", "1", "--not-after", "1d", "--out", "b.json"];
    const run = await toolgate(["bundle", "build", ...args]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /site\.yaml:\d+.*orders\.get/);
    await assert.rejects(Deno.stat(join(folder, "b.json")), Deno.errors.NotFound);
  });
});
