import assert from "node:assert/strict";
import { openApp } from "../../src/app.ts";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { GateError } from "../../src/model/errors.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { type FaultyStore, makeFaulty, type StoreFault } from "../fakes/faulty_store.ts";
import { PATIENCE } from "./store_faults.ts";

const faultsAt = (at: number): StoreFault[] => [
  { kind: "fails", at, count: 1 },
  { kind: "fails late", at },
];

/** Nothing runs yet, so that a start may fail; then it says why, holds nothing, and the next one works. */
Deno.test("a store that does something wrong at the n-th operation of a start", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-start-faults-" });
  const path = `${folder}/toolgate.kv`;
  const config = ConfigSchema.parse({
    server: { port: 0 },
    store: `kv:${path}`,
    policies: "open",
    preflight: "off",
  });
  const options = { config, source: "demo", baseDir: folder, log: () => {} };
  const start = async (arm: (faulty: FaultyStore) => void) => {
    const faulty = makeFaulty(await openKvStore(path));
    arm(faulty);
    const app = await openApp(options, faulty.store, PATIENCE);
    await app.close();
    return faulty.count();
  };
  try {
    const operations = await start(() => {});
    assert.ok(operations > 5, `${operations}`);
    let refused = 0;
    for (let n = 1; n <= operations; n++) {
      for (const fault of faultsAt(n)) {
        await start((faulty) => faulty.arm(fault)).catch((error) => {
          assert.ok(error instanceof GateError, `${n}: ${error?.stack}`);
          assert.match(error.code, /^ERR_(STORE|AUDIT_UNAVAILABLE)$/);
          assert.notEqual(error.hint, "");
          refused++;
        });
      }
    }
    assert.ok(refused > 0);
    await start(() => {});
    const store = await openKvStore(path);
    const auditOptions = { store, chain: "main", config: config.audit, keysPath: path };
    const log = await openAuditLog(auditOptions);
    assert.equal((await log.verify()).ok, true);
    await log.close();
    await store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
