import assert from "node:assert/strict";
import { KERNEL_ON } from "../../../src/sandbox/host/host_settings.ts";
import { breach } from "./fixtures/run_breach.ts";
import { openTestPool, runCode, withPool } from "../open_pool.ts";

const onLinux = Deno.build.os === "linux";

Deno.test("the kernel layer alone holds when everything above it is broken", async () => {
  if (!onLinux) return assert.equal((await breach(KERNEL_ON)).report.seccomp, false);
  const { report, got } = await breach(KERNEL_ON);
  assert.deepEqual(report.missing, []);
  assert.ok(report.seccomp && report.rlimits && report.landlock > 0);
  assert.deepEqual(got, []);
});

Deno.test("each part of the kernel layer holds something that is gone without it", async () => {
  if (!onLinux) return assert.equal((await breach(KERNEL_ON)).report.rlimits, false);
  const nothing = await breach({ enabled: true, landlock: false, rlimits: false, seccomp: false });
  assert.ok(nothing.got.includes("read a file") && nothing.got.includes("start a program"));
  assert.ok(nothing.got.includes("hold 512 MB outside the heap"));
  const onlyLandlock = await breach({ ...KERNEL_ON, seccomp: false, rlimits: false });
  assert.ok(!onlyLandlock.got.includes("read a file") && !onlyLandlock.got.includes("connect"));
  const onlyLimits = await breach({ ...KERNEL_ON, seccomp: false, landlock: false });
  assert.ok(!onlyLimits.got.includes("hold 512 MB outside the heap"));
  assert.ok(!onlyLimits.got.includes("write a file"));
});

Deno.test("openSandboxPool() names the kernel level and refuses to start without a required part", async () => {
  await withPool({}, async (pool) => {
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
    const { kernel } = pool.status();
    if (onLinux) assert.deepEqual(kernel!.missing, []);
    else assert.equal(kernel!.seccomp, false);
  });
  await assert.rejects(
    openTestPool({ require: ["seccomp"], kernel: { ...KERNEL_ON, seccomp: false } }),
    { code: "ERR_SANDBOX_UNAVAILABLE", message: /no seccomp/ },
  );
  await assert.rejects(
    openTestPool({ require: ["landlock"], kernel: { ...KERNEL_ON, enabled: false } }),
    { code: "ERR_SANDBOX_UNAVAILABLE", message: /no landlock/ },
  );
});
