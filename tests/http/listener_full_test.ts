import assert from "node:assert/strict";
import { rawClient } from "../fakes/raw_client.ts";

Deno.test("a listener that ran out of descriptors accepts again once there are some", async () => {
  const program = new URL("../fakes/starved_listener.ts", import.meta.url).pathname;
  const deno = `"${Deno.execPath()}" run --cached-only --no-check --allow-net=127.0.0.1`;
  const child = new Deno.Command("bash", {
    args: ["-c", `ulimit -n 100; exec ${deno} --allow-read --allow-env --allow-sys "${program}"`],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  const until = async (pattern: RegExp) => {
    while (!pattern.test(output)) {
      const { done, value } = await lines.read();
      assert.ok(!done, output);
      output += value;
    }
  };
  try {
    await until(/starved \d+\n/);
    const port = Number(/starved (\d+)/.exec(output)?.[1]);
    // The kernel takes it; the process cannot.
    const waiting = await rawClient(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await until(/fed\n/);
    await until(/listening anew\n/);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(await response.text(), "ok");
    waiting.close();
  } finally {
    child.kill("SIGKILL");
    await lines.cancel();
    await child.status;
  }
});
