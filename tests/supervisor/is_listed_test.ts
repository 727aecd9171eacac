import assert from "node:assert/strict";
import { isListed } from "../../src/supervisor/is_listed.ts";
import type { CatalogSnapshot, ServerState } from "../../src/model/catalog.ts";

function stateOf(server: string, listedAt: number | null): ServerState {
  return {
    server,
    serverIdentifier: server.replace("-", "_"),
    title: "",
    status: listedAt === null ? "starting" : "ready",
    error: null,
    toolCount: 0,
    listedAt,
  };
}

const SNAPSHOT: CatalogSnapshot = {
  revision: 1,
  tools: new Map(),
  servers: new Map([["a", stateOf("my-pay", null)], ["b", stateOf("mail", 1)]]),
  quarantined: [],
};

Deno.test("isListed() is false only for a configured server that has not answered, by either name", () => {
  const names = ["my-pay", "my_pay", "mail", "nobody"];
  assert.deepEqual(names.map((name) => isListed(SNAPSHOT, name)), [false, false, true, true]);
});
