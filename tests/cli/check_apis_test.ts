import assert from "node:assert/strict";
import { checkApis } from "../../src/cli/check_apis.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import type { ServerState } from "../../src/model/catalog.ts";
import { listenRaw, rawAnswer } from "../fakes/raw_listener.ts";

function stateOf(server: string): ServerState {
  return {
    server,
    serverIdentifier: server,
    title: server,
    status: "ready",
    error: null,
    toolCount: 1,
    listedAt: 0,
  };
}

Deno.test("checkApis() warns of an API that nobody answers for, with the reason, and of no other", async () => {
  await using alive = listenRaw({ answer: () => rawAnswer("404 Not Found", {}) });
  const gone = listenRaw();
  await gone[Symbol.asyncDispose]();
  const places = {
    alive: `http://127.0.0.1:${alive.port}/v1`,
    gone: `http://127.0.0.1:${gone.port}/v1`,
  };
  const config = ConfigSchema.parse({
    openapi: {
      alive: { spec: "./a.json", baseUrl: places.alive },
      gone: { spec: "./a.json", baseUrl: places.gone },
      file: { spec: "./a.json" },
    },
  });
  const checks = await checkApis(
    [stateOf("alive"), stateOf("gone"), stateOf("file"), stateOf("mcp")],
    config,
  );
  assert.deepEqual(checks, [
    {
      name: "upstream gone",
      status: "warn",
      detail: `its API cannot be reached: 127.0.0.1:${gone.port} refuses connections`,
      remedy: `Check that ${places.gone} answers from this machine`,
    },
  ]);
  assert.deepEqual(alive.requests.map(({ line }) => line), ["HEAD /v1 HTTP/1.1"]);
});
