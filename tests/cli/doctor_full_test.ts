import assert from "node:assert/strict";
import { join } from "node:path";
import { createSecretResolver, systemSecretDeps } from "../../src/config/secrets.ts";
import { parseConfig } from "../../src/config/parse_config.ts";
import {
  checkClock,
  checkConfig,
  checkHealth,
  checkSecrets,
  checkSelfTest,
  type HealthReport,
  renderChecks,
} from "../../src/cli/doctor_checks.ts";
import type { ExecutionResult } from "../../src/model/execution.ts";
import { runIn, scriptedApp, withFolder } from "./cli_fixture.ts";

const HEALTHY: HealthReport = {
  version: "0.1.0",
  audit: { ok: true, reason: null },
  shipping: [],
  strayErrors: { count: 0, lastAt: null },
  store: { kind: "kv", ok: true },
  sandbox: {
    ok: true,
    isolation: "worker",
    kernel: { seccomp: true, landlock: 4, rlimits: true, missing: [] },
  },
  policy: { source: "p.yaml", name: "p", digest: "d", problems: [], rejected: null },
  servers: [],
  edge: { connectionsMax: 4_096, descriptorsMax: 20_000 },
  quarantined: 0,
  clock: { aheadMs: 0, jumps: 0, lastJump: null },
  now: "2026-04-01T00:00:00.000Z",
};

const GOOD_RUN: ExecutionResult = {
  executionId: "e",
  status: "ok",
  result: 42,
  logs: [],
  calls: [],
  usage: { wallMs: 5, toolCalls: 0, bytesKeptOut: 0, tokensReturned: 0, tokensKeptOut: 0 },
};

const config = parseConfig(
  "mcpServers: {files: {command: npx, args: [x, --key, '${env:A_KEY}']}, api: {url: 'http://a.b/mcp'}}",
  "t",
);

function statusesOf(changes: Partial<HealthReport>): { [name: string]: string } {
  const checks = checkHealth({ ...HEALTHY, ...changes }, config);
  for (const check of checks) {
    assert.equal(check.remedy === "", check.status === "ok", JSON.stringify(check));
  }
  return Object.fromEntries(checks.map((check) => [check.name, check.status]));
}

Deno.test("checkHealth() is all ok for a healthy service", () => {
  assert.deepEqual(statusesOf({}), {
    store: "ok",
    audit: "ok",
    policy: "ok",
    sandbox: "ok",
    connections: "ok",
  });
});

Deno.test("checkHealth() warns where few files may be open", () => {
  const few = { connectionsMax: 455, descriptorsMax: 700 };
  assert.equal(statusesOf({ edge: few })["connections"], "warn");
  // JSON has no infinity: the service says null.
  assert.equal(
    statusesOf({ edge: { connectionsMax: 9, descriptorsMax: null } })["connections"],
    "ok",
  );
  assert.equal(Object.hasOwn(statusesOf({ edge: null }), "connections"), false);
});

Deno.test("checkHealth() fails or warns for each part, with a remedy", () => {
  assert.equal(statusesOf({ store: { kind: "kv", ok: false, reason: "locked" } })["store"], "fail");
  assert.equal(statusesOf({ audit: { ok: false, reason: "disk full" } })["audit"], "fail");
  assert.equal(statusesOf({ sandbox: { ok: false, reason: "no host" } })["sandbox"], "fail");
  const weak = { seccomp: false, landlock: 0, rlimits: true, missing: ["seccomp: old kernel"] };
  const sandbox = { ok: true, isolation: "worker", kernel: weak } as const;
  assert.equal(statusesOf({ sandbox })["sandbox"], "warn");
  const policy = { ...HEALTHY.policy, problems: ["p.yaml:3: unknown tool"] };
  assert.equal(statusesOf({ policy })["policy"], "warn");
  const rejected = { ...HEALTHY.policy, rejected: "line 4" };
  assert.equal(statusesOf({ policy: rejected })["policy"], "fail");
  assert.equal(statusesOf({ quarantined: 2 })["quarantine"], "warn");
});

Deno.test("checkHealth() says of each upstream its tools, or its error and how to look", () => {
  const state = {
    serverIdentifier: "x",
    title: "",
    toolCount: 3,
    listedAt: null,
    error: "spawn failed",
  };
  const down = { since: 0, retryAt: null, exit: "exit code 1", stderr: [] };
  const checks = checkHealth({
    ...HEALTHY,
    servers: [
      { ...state, server: "good", status: "ready", error: null },
      { ...state, server: "files", status: "down", down },
      { ...state, server: "api", status: "stale" },
      { ...state, server: "files", status: "down" },
    ] as unknown as HealthReport["servers"],
  }, config).filter((check) => check.name.startsWith("upstream"));
  assert.deepEqual(checks.map((check) => check.status), ["ok", "fail", "fail", "fail"]);
  assert.equal(checks[0]?.detail, "3 tools");
  assert.match(checks[1]?.remedy ?? "", /by hand to see why: npx x/);
  assert.match(checks[3]?.remedy ?? "", /It answers, but not with its tools/);
  assert.match(checks[2]?.remedy ?? "", /http:\/\/a\.b\/mcp answers/);
});

Deno.test("checkConfig() warns of open policies and hides a password in the store", () => {
  assert.equal(checkConfig(config, "t.yaml").status, "ok");
  const open = parseConfig("policies: open\nstore: postgres://u:hunter2@h/db", "t");
  const check = checkConfig(open, "t.yaml");
  assert.equal(check.status, "warn");
  assert.match(check.detail, /postgres:\/\/u:…@h\/db/);
});

Deno.test("checkSecrets() names a reference without a value", async () => {
  const resolver = (value: string | undefined) =>
    createSecretResolver({ ...systemSecretDeps("/"), env: () => value });
  assert.equal((await checkSecrets(config, resolver("x"))).status, "ok");
  const missing = await checkSecrets(config, resolver(undefined));
  assert.equal(missing.status, "fail");
  assert.match(missing.detail, /A_KEY/);
  assert.match(missing.remedy, /Set A_KEY/);
});

Deno.test("checkClock() finds a clock before its time, one that differs and one that jumped", () => {
  const at = Date.parse("2026-04-01T00:00:00Z");
  const { clock } = HEALTHY;
  assert.equal(checkClock(at, { clock, now: "2026-04-01T00:00:05.000Z" }).status, "ok");
  assert.equal(checkClock(at, { clock, now: "2026-04-01T00:00:05.001Z" }).status, "fail");
  assert.equal(checkClock(0, { clock, now: "1970-01-01T00:00:00.000Z" }).status, "fail");
  const lastJump = { at: "2026-03-31T23:00:00.000Z", byMs: -3_600_000 };
  const ahead = checkClock(at, { ...HEALTHY, clock: { aheadMs: 1_800_000, jumps: 1, lastJump } });
  assert.deepEqual([ahead.status, /1800 s ahead/.test(ahead.detail)], ["warn", true]);
  const over = checkClock(at, { ...HEALTHY, clock: { aheadMs: 0, jumps: 1, lastJump } });
  assert.deepEqual([over.status, /by -3600 s at 2026-03-31T23/.test(over.detail)], ["warn", true]);
});

Deno.test("checkSelfTest() wants the known result", () => {
  assert.equal(checkSelfTest(GOOD_RUN).status, "ok");
  assert.equal(checkSelfTest({ ...GOOD_RUN, result: 41 }).status, "fail");
  const failed = checkSelfTest({ ...GOOD_RUN, status: "timeout", result: undefined });
  assert.match(failed.detail, /^timeout/);
});

Deno.test("renderChecks() puts the remedy below its line", () => {
  const text = renderChecks([
    { name: "a", status: "ok", detail: "fine", remedy: "" },
    { name: "long", status: "fail", detail: "broken", remedy: "mend it" },
  ]);
  assert.equal(text, "ok    a     fine\nfail  long  broken\n            mend it");
});

Deno.test("doctor is well where the policy gives the operator no tool", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "toolgate.yaml"),
      "policies: ./policy.yaml\nstore: 'memory:'\nsandbox: { warm: 0 }\n",
    );
    await Deno.writeTextFile(
      join(folder, "policy.yaml"),
      "version: 1\nname: closed\ngroups: { eng: { claim: groups, has: eng } }\n" +
        "spaces: { engineering: { for: [eng], tools: ['*'] } }\n" +
        "rules: [{ id: read, allow: read }]\n",
    );
    const { code, stdout } = await runIn(folder, ["doctor", "--json"]);
    const { checks } = JSON.parse(stdout);
    const selfTest = checks.find(({ name }: { name: string }) => name === "self test");
    assert.deepEqual([code, selfTest?.status], [0, "ok"], stdout);
  });
});

Deno.test("doctor ends with 0 when all is well and with 1 for any failure", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "auth: none\n");
    const answers = {
      "GET /health": { ...HEALTHY, now: new Date().toISOString() },
      "POST /execute": GOOD_RUN,
    };
    const good = await runIn(folder, ["doctor"], scriptedApp(answers));
    assert.equal(good.code, 0, good.stdout);
    assert.match(good.stdout, /^ok {4}configuration/);
    const broken = { ...answers, "POST /execute": { ...GOOD_RUN, status: "error" } };
    const bad = await runIn(folder, ["doctor", "--json"], scriptedApp(broken));
    assert.equal(bad.code, 1);
    const { ok, checks } = JSON.parse(bad.stdout);
    assert.equal(ok, false);
    assert.ok(
      checks.some((check: { name: string; status: string }) =>
        check.name === "self test" && check.status === "fail"
      ),
    );
  });
});

Deno.test("doctor compares clocks when it hears the service's, however long its checks take", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "auth: none\n");
    let now = Date.parse("2026-04-01T00:00:00Z");
    const app = scriptedApp({
      "GET /health": { ...HEALTHY, now: new Date(now).toISOString() },
      get "POST /execute"() {
        now += 60_000;
        return GOOD_RUN;
      },
    });
    const run = await runIn(folder, ["doctor"], { ...app, now: () => now });
    assert.equal(run.code, 0, run.stdout);
    assert.match(run.stdout, /^ok {4}clock/m);
  });
});

Deno.test("doctor goes on after a service that does not start, and ends with 1", async () => {
  await withFolder(async (folder) => {
    const createApp = () => Promise.reject(new TypeError("odd"));
    const run = await runIn(folder, ["doctor"], { createApp });
    assert.equal(run.code, 1);
    assert.match(run.stdout, /fail {2}service +Internal error: TypeError: odd/);
  });
});

Deno.test("doctor ends with 2 for a configuration that does not load", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "prot: 1\n");
    const run = await runIn(folder, ["doctor"]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /"prot" is an unknown key/);
  });
});

Deno.test("doctor --attack ends with 1 when an attack was not held, and shows which", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "auth: none\n");
    const row = { name: "loop", expected: "stopped by a clock", got: "returned 1", ms: 5 };
    for (const held of [true, false]) {
      const report = { ok: held, isolation: "worker", attacks: [{ ...row, ok: held }] };
      const app = scriptedApp({
        "GET /health": { ...HEALTHY, now: new Date().toISOString() },
        "POST /execute": GOOD_RUN,
        "POST /attack": report,
      });
      const run = await runIn(folder, ["doctor", "--attack"], app);
      assert.equal(run.code, held ? 0 : 1);
      assert.match(run.stdout, held ? /held {2}loop/ : /FAIL {2}loop .*returned 1/);
      const json = await runIn(folder, ["doctor", "--attack", "--json"], app);
      assert.equal(json.code, run.code);
      assert.deepEqual(JSON.parse(json.stdout).attacks, report.attacks);
    }
  });
});
