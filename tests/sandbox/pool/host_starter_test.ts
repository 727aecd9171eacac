import assert from "node:assert/strict";
import type { GateError } from "../../../src/model/errors.ts";
import type { HostSettings } from "../../../src/sandbox/host/host_settings.ts";
import { createHostRoster } from "../../../src/sandbox/pool/host_roster.ts";
import { createHostStarter, missingFeature } from "../../../src/sandbox/pool/host_starter.ts";
import { LIMITS } from "../open_pool.ts";

Deno.test("missingFeature() names the feature that the kernel lacks, and nothing else", () => {
  const report = { seccomp: true, landlock: 0, rlimits: true, missing: [] };
  assert.equal(missingFeature(report, []), null);
  assert.equal(missingFeature(report, ["seccomp"]), null);
  assert.match(missingFeature(report, ["seccomp", "landlock"])!.message, /has no landlock/);
  assert.match(missingFeature({ ...report, seccomp: false }, ["seccomp"])!.message, /no seccomp/);
});

Deno.test("createHostStarter() gives the common lane up when no host starts, and only that lane", async () => {
  const asked: HostSettings[] = [];
  const refused: [string, GateError][] = [];
  const starter = createHostStarter({
    isolation: "worker",
    limits: LIMITS,
    warm: 1,
    require: [],
    hostCommand(settings) {
      asked.push(settings);
      throw new Error("no such program");
    },
    log() {},
  }, {
    roster: createHostRoster(),
    usesPerMs: () => 1,
    onChange() {},
    onUnavailable: (error, lane) => refused.push([lane, error]),
  });
  for (let count = 0; count < 3; count++) starter.start("slow", "alice");
  assert.deepEqual(refused.map(([lane]) => lane), ["slow"]);
  for (let count = 0; count < 3; count++) starter.start("common", null);
  await assert.rejects(starter.firstReady, { code: "ERR_SANDBOX_UNAVAILABLE" });
  assert.deepEqual(refused.map(([lane]) => lane), ["slow", "common"]);
  assert.deepEqual(asked.map(({ workers }) => workers), [1, 1, 1, 16, 16, 16]);
  await starter.close();
});
