/**
 * The embedded store: one Deno KV file, one process that writes it.
 *
 * SQLite makes every commit durable before it answers; several writers of one file would fail each
 * other's commits, so the file is locked.
 */
import { DatabaseSync } from "node:sqlite";
import { GateError } from "../model/errors.ts";
import { type FileLock, lockStoreFile } from "./file_lock.ts";
import { storeError } from "./kv_commit.ts";
import { createKvCounters } from "./kv_counters.ts";
import { createKvDocuments } from "./kv_documents.ts";
import { createKvLog } from "./kv_log.ts";
import type { Store } from "./store.ts";
import { createTopicBus } from "./topic_bus.ts";

/**
 * @param location a file path, `:memory:`, or the URL of a remote Deno KV.
 * @throws {GateError} `ERR_STORE` if the file cannot be opened or another process writes it.
 */
export async function openKvStore(
  location: string,
  now: () => number = Date.now,
): Promise<Store> {
  const isFile = location !== ":memory:" && !/^https?:\/\//.test(location);
  let lock: FileLock | null = null;
  let kv: Deno.Kv;
  try {
    if (isFile) {
      await Deno.mkdir(parentOf(location), { recursive: true });
      lock = await lockStoreFile(location);
      await createPrivately(location);
      await checkStoreFile(location);
    }
    kv = await Deno.openKv(location);
  } catch (error) {
    lock?.release();
    throw withLocation(storeError("open", error), location);
  }
  const counters = createKvCounters({ kv, now });
  const documents = createKvDocuments({ kv, now, ride: counters.ride });
  const log = createKvLog({
    kv,
    documents,
    ride: counters.ride,
    spill: counters.spill,
  });
  const bus = createTopicBus();
  let closed = false;
  return {
    kind: "kv",
    get: documents.get,
    list: documents.list,
    put: documents.put,
    add: counters.add,
    append: log.append,
    scan: log.scan,
    head: log.head,
    logs: log.logs,
    check: log.check,
    async trim(beforeTs, { log: only } = {}) {
      const removed = await log.trim(beforeTs, only);
      counters.forgetExpired();
      await documents.trimExpired();
      return removed;
    },
    notify(topic, message) {
      bus.notify(topic, message);
      return Promise.resolve();
    },
    subscribe(topic, listener) {
      const stop = bus.subscribe(topic, listener);
      return Promise.resolve(() => Promise.resolve(stop()));
    },
    async close() {
      if (closed) return;
      closed = true;
      try {
        await counters.close();
      } finally {
        kv.close();
        lock?.release();
      }
    },
  };
}

/**
 * Reads the tables that the engine itself reads when it opens: on damage there it would not answer
 * with an error, it would end the process.
 */
async function checkStoreFile(path: string): Promise<void> {
  const size = await Deno.stat(path).then(({ size }) => size, () => 0); // not there yet: nothing to check
  if (size === 0) return;
  const database = new DatabaseSync(path);
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    for (const { name } of tables) {
      if (name !== "kv") database.prepare(`select * from "${name}" limit 1000`).all();
    }
  } finally {
    database.close();
  }
}

/** It holds secrets of the service: what others may read is for the operator to say. */
async function createPrivately(path: string): Promise<void> {
  try {
    (await Deno.open(path, { createNew: true, write: true, mode: 0o600 })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function parentOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? (end === 0 ? "/" : ".") : path.slice(0, end);
}

function withLocation(error: unknown, location: string): unknown {
  if (!(error instanceof GateError) || error.message.includes(location)) return error;
  const message = error.message.replace("the store", `the store "${location}"`);
  return new GateError(error.code, message, { hint: error.hint, cause: error.cause });
}
