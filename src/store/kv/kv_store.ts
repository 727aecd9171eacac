/**
 * The embedded store: one Deno KV file, one process that writes it.
 *
 * SQLite makes every commit durable before it answers. Several writers of one file would make each
 * other's commits fail, so the file is locked.
 */
import type { GateError } from "../../model/errors.ts";
import { createKvCounters } from "./counters.ts";
import { createKvDocuments } from "./documents.ts";
import { openKvEngine } from "./engine.ts";
import type { KvFileWatch } from "./file_watch.ts";
import { createKvLog } from "./log.ts";
import type { Store } from "../store.ts";
import { createTopicBus } from "../topic_bus.ts";

/**
 * @param location a file path, `:memory:`, or the URL of a remote Deno KV.
 * @param onFault called once if the file was deleted, replaced or written by another program.
 * @throws {GateError} `ERR_STORE` if the file cannot be opened or another process writes it.
 */
export async function openKvStore(
  location: string,
  now: () => number = Date.now,
  onFault: (error: GateError) => void = () => {},
): Promise<Store> {
  const engine = await openKvEngine(location, onFault);
  const { kv, watch } = engine;
  const counters = createKvCounters({ kv, now });
  const { ride, spill } = counters;
  const documents = createKvDocuments({ kv, now, ride });
  const log = createKvLog({ kv, documents, ride, spill });
  const bus = createTopicBus();
  let isClosed = false;
  const { read, write } = guard(watch);
  return {
    kind: "kv",
    get: read(documents.get),
    list: read(documents.list),
    put: write(documents.put),
    add: read(counters.add),
    append: write(log.append),
    scan: read(log.scan),
    head: read(log.head),
    logs: read(log.logs),
    check: read(log.check),
    trim: read(async (beforeTs, { log: only } = {}) => {
      const removed = await log.trim(beforeTs, only);
      counters.forgetExpired();
      await documents.trimExpired();
      return removed;
    }),
    notify(topic, message) {
      bus.notify(topic, message);
      return Promise.resolve();
    },
    subscribe(topic, listener) {
      const stop = bus.subscribe(topic, listener);
      return Promise.resolve(() => Promise.resolve(stop()));
    },
    fault: () => watch?.fault()?.message ?? null,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await engine.close(counters.close);
    },
  };
}

/** Makes every read and write fail once the file watch has found a fault. */
function guard(watch: KvFileWatch | null) {
  const refuse = (): void => {
    const fault = watch?.fault() ?? null;
    if (fault !== null) throw fault;
  };
  return {
    read: <A extends unknown[], R>(use: (...args: A) => Promise<R>) => async (...args: A) => {
      refuse();
      return await use(...args);
    },
    /** A write into a file without a name must not be acknowledged. */
    write: <A extends unknown[], R>(use: (...args: A) => Promise<R>) => async (...args: A) => {
      refuse();
      const result = await use(...args);
      await watch?.confirmNames();
      return result;
    },
  };
}
