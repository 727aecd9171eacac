import assert from "node:assert/strict";
import { isAlive, temporaryJournal, until } from "../../fakes/upstream_parts.ts";

Deno.test("kill -9 of the service leaves no process of its upstreams behind", async () => {
  using journal = temporaryJournal();
  const script = new URL("../../fakes/orphan_parent.ts", import.meta.url).pathname;
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "-A", script, journal.path],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = parent.stdout.getReader();
  const { value } = await reader.read();
  const { pid, child } = JSON.parse(new TextDecoder().decode(value)) as {
    pid: number;
    child: number;
  };
  assert.ok(await isAlive(pid) && await isAlive(child));
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
  await until(
    "the server and what it started are gone",
    async () => !await isAlive(pid) && !await isAlive(child),
  );
});
