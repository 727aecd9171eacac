import { DatabaseSync } from "node:sqlite";
import { GateError } from "../../model/errors.ts";
import { type FileLock, lockStoreFile } from "./file_lock.ts";
import { storeError } from "./commit.ts";
import { type KvFileWatch, watchKvFile } from "./file_watch.ts";

/** An open Deno KV, and what guards its file. */
export interface KvEngine {
  readonly kv: Deno.Kv;
  /** null when there is no file to look after. */
  readonly watch: KvFileWatch | null;
  /** @param flush writes what waits, while that is possible. */
  close(flush: () => Promise<void>): Promise<void>;
}

/**
 * @param location a file path, `:memory:`, or the URL of a remote Deno KV.
 * @param onFault hears once that the file was deleted, replaced or written by somebody else.
 * @throws {GateError} `ERR_STORE` if the file cannot be opened or another process writes it.
 */
export async function openKvEngine(
  location: string,
  onFault: (error: GateError) => void,
): Promise<KvEngine> {
  const isFile = location !== ":memory:" && !/^https?:\/\//.test(location);
  let lock: FileLock | null = null;
  let kv: Deno.Kv | null = null;
  try {
    if (isFile) {
      await Deno.mkdir(parentOf(location), { recursive: true });
      lock = await lockStoreFile(location);
      await refuseLostFile(location);
      await createPrivately(location);
      await checkStoreFile(location);
    }
    const engine = kv = await Deno.openKv(location);
    const watch = isFile
      ? await watchKvFile({ path: location, onFault, abandon: () => engine.close() })
      : null;
    return { kv, watch, close: (flush) => closeEngine({ kv: engine, watch, lock }, flush) };
  } catch (error) {
    kv?.close();
    lock?.release();
    throw withLocation(storeError("open", error), location);
  }
}

async function closeEngine(
  parts: {
    readonly kv: Deno.Kv;
    readonly watch: KvFileWatch | null;
    readonly lock: FileLock | null;
  },
  flush: () => Promise<void>,
): Promise<void> {
  const { kv, watch, lock } = parts;
  await watch?.stop();
  // What is left open keeps SQLite from writing into a file that is not its own. It ends with the process.
  if (watch !== null && !watch.isFileOwn()) return;
  try {
    await flush();
  } finally {
    kv.close();
    watch?.close();
    lock?.release();
  }
}

/**
 * The audit log's notes of its checkpoints lie beside the store: with them and without the store, it
 * was deleted or moved. An empty one in its place would answer as if nothing had ever been recorded.
 */
async function refuseLostFile(path: string): Promise<void> {
  if (await bytesOf(path) > 0) return;
  for (const suffix of [".checkpoints", "-wal", "-wal.lost"]) {
    if (await bytesOf(`${path}${suffix}`) === 0) continue;
    throw new GateError(
      "ERR_STORE",
      `Cannot open the store "${path}": it is not there, and "${path}${suffix}" of it is`,
      {
        hint:
          `Put the file or a backup of it back; to begin with an empty store, move every file ` +
          `away whose name starts with "${path}"`,
      },
    );
  }
}

async function bytesOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}

/**
 * Reads the tables that the engine itself reads when it opens: on damage there it would not answer
 * with an error, it would end the process.
 */
async function checkStoreFile(path: string): Promise<void> {
  if (await bytesOf(path) === 0) return; // not there yet: nothing to check
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
