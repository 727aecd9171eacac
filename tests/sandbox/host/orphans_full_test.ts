import assert from "node:assert/strict";

const SERVICE = new URL("../pool/fixtures/pool_service.ts", import.meta.url).pathname;

Deno.test("a kill -9 of the service takes its hosts with it, looping ones as well", async () => {
  if (Deno.build.os !== "linux") return assert.notEqual(Deno.build.os, "linux");
  const service = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--cached-only",
      "--allow-read",
      "--allow-env",
      "--allow-run",
      "--allow-sys",
      SERVICE,
    ],
    stdout: "piped",
  }).spawn();
  const reader = service.stdout.getReader();
  const { value } = await reader.read();
  const pids = JSON.parse(new TextDecoder().decode(value)) as number[];
  assert.ok(pids.length >= 2);
  assert.ok(pids.some(isAlive), "no host was alive before its service was killed");
  service.kill("SIGKILL");
  await service.status;
  await reader.cancel();
  const start = performance.now();
  while (pids.some(isAlive)) {
    assert.ok(performance.now() - start < 30_000, "a host outlived its service");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

function isAlive(pid: number): boolean {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] })
    .outputSync();
  const state = new TextDecoder().decode(stdout).trim();
  return state !== "" && !state.startsWith("Z");
}
