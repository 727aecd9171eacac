import assert from "node:assert/strict";
import { startSseMcpServer } from "../fakes/sse_mcp_server.ts";
import { until } from "../fakes/upstream_parts.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** More than the command needs on a busy machine; it stands for "never". */
const HANGS_MS = 60_000;

/** Collects garbage all the time, as a process does that lives longer. */
const WITH_COLLECTIONS = `
import { runCli } from ${JSON.stringify(new URL("../../src/cli/main.ts", import.meta.url).href)};
import { systemDeps } from ${
  JSON.stringify(new URL("../../src/cli/system_deps.ts", import.meta.url).href)
};
setInterval(() => gc(), 20);
Deno.exit(await runCli(Deno.args, systemDeps));
`;

for (const collects of [false, true]) {
  const how = collects ? "with garbage collected all the while" : "as it is";
  Deno.test(`doctor ends with an upstream of 2024 that is found by falling back, ${how}`, async () => {
    await using server = startSseMcpServer();
    const folder = await Deno.makeTempDir({ prefix: "toolgate-doctor-" });
    try {
      const config = `${folder}/toolgate.json`;
      const mcpServers = { up: { url: server.url } };
      await Deno.writeTextFile(config, JSON.stringify({ mcpServers, store: "memory:" }));
      const entry = collects ? `${folder}/entry.ts` : MAIN;
      if (collects) await Deno.writeTextFile(entry, WITH_COLLECTIONS);
      const { code, signal, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--cached-only",
          "--no-prompt",
          "--no-check",
          "-A",
          `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
          "--v8-flags=--expose-gc",
          entry,
          "doctor",
          "--config",
          config,
        ],
        signal: AbortSignal.timeout(HANGS_MS),
        stdout: "piped",
        stderr: "null",
      }).output();
      const printed = new TextDecoder().decode(stdout);
      assert.equal(signal, null, printed);
      assert.match(printed, /ok +upstream up +1 tools/);
      assert.equal(code, 0, printed);
      await until("the server sees the stream end", () => server.streams() === 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
