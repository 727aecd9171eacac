import assert from "node:assert/strict";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { startCatalog } from "../../src/supervisor/start_catalog.ts";

function setUp(refresh: Catalog["refresh"] = () => Promise.resolve()) {
  const order: string[] = [];
  const listeners: { changed?: (server: string) => void; swapped?: () => void } = {};
  const catalog: Pick<Catalog, "refresh" | "ready" | "onChange"> = {
    refresh: (server) => {
      order.push(`refresh ${server}`);
      return refresh(server);
    },
    ready: () => Promise.resolve(void order.push("listed")),
    onChange(listener) {
      listeners.swapped = () =>
        listener({ revision: 2, tools: new Map(), servers: new Map(), quarantined: [] }, []);
      return () => {};
    },
  };
  const logged: unknown[] = [];
  const deps = {
    policy: {
      announce: () => Promise.resolve(void order.push("announce")),
      toolsChanged: () => void order.push("toolsChanged"),
    },
    upstreams: {
      onListChanged(listener: (server: string) => void) {
        listeners.changed = listener;
        return () => {};
      },
    },
    log: (...line: unknown[]) => void logged.push(line),
  };
  return { catalog: catalog as Catalog, deps, order, listeners, logged };
}

Deno.test("startCatalog() records the policy before the first listing, and tells it of the tools", async () => {
  const { catalog, deps, order, listeners } = setUp();
  assert.equal(await startCatalog(deps, catalog), catalog);
  assert.deepEqual(order, ["announce", "listed", "toolsChanged"]);
  listeners.swapped?.();
  assert.deepEqual(order.slice(3), ["toolsChanged"]);
});

Deno.test("startCatalog() lists a server again when it says that its lists changed", async () => {
  const { catalog, deps, order, listeners, logged } = setUp(() =>
    Promise.reject(new Error("gone"))
  );
  await startCatalog(deps, catalog);
  listeners.changed?.("pay");
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(order.slice(3), ["refresh pay"]);
  assert.deepEqual(logged, [["warn", "Cannot list an upstream again", {
    server: "pay",
    cause: "Error: gone",
  }]]);
});
