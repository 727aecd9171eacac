import assert from "node:assert/strict";

const worker = new URL("quota_crash_worker.ts", import.meta.url).pathname;

/** Counts the calls that reached the upstream until the service ends or is killed. */
async function runService(
  path: string,
  killAfterCalls: number,
): Promise<{ calls: number; isUsedUp: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "-A", "--unstable-kv", worker, path],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  const decoder = new TextDecoder();
  const lines = () => text.split("\n").filter((line) => line === "call").length;
  let isKilled = false;
  const giveUp = setTimeout(() => child.kill("SIGKILL"), 60_000);
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (!isKilled && lines() >= killAfterCalls) {
      isKilled = true;
      child.kill("SIGKILL");
    }
  }
  await child.status;
  clearTimeout(giveUp);
  return { calls: lines(), isUsedUp: text.includes("used up") };
}

Deno.test("a limit holds over services killed in the middle of 64 callers", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/quota.kv`;
    let calls = 0;
    for (const killAfterCalls of [150, 150, 150, Infinity]) {
      const run = await runService(path, killAfterCalls);
      calls += run.calls;
      assert.equal(run.isUsedUp, killAfterCalls === Infinity);
    }
    assert.ok(calls <= 1_000, `${calls} calls passed a limit of 1,000`);
    // What was reserved and not called when the kill came stays counted: at most 64 callers each time.
    assert.ok(calls >= 1_000 - 3 * 64, `only ${calls} calls passed`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
