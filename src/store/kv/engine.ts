import { DatabaseSync } from "node:sqlite";
import { GateError } from "../../model/errors.ts";
import { type FileLock, lockStoreFile } from "./file_lock.ts";
import { storeError } from "./commit.ts";
import { type KvFileWatch, watchKvFile } from "./file_watch.ts";

/** An open Deno KV, and the watch over its file. */
export interface KvEngine {
  readonly kv: Deno.Kv;
  /** null when the engine has no local file. */
  readonly watch: KvFileWatch | null;
  /** @param flush writes waiting changes; skipped if the file is no longer the store's. */
  close(flush: () => Promise<void>): Promise<void>;
}

/**
 * @param location a file path, `:memory:`, or the URL of a remote Deno KV.
 * @param onFault called once if the file was deleted, replaced or written by another program.
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
  // Handles stay open until the process ends, so that SQLite does not write into a foreign file.
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
 * Refuses to open if the store's file is missing but files beside it (checkpoint notes, write-ahead
 * log) exist: the store was deleted or moved, and a new empty one would hide that.
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
 * Reads the tables that the engine reads when it opens: there, damage would crash the process
 * instead of giving an error.
 */
async function checkStoreFile(path: string): Promise<void> {
  if (await bytesOf(path) === 0) return; // a new store: nothing to check
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

/** Creates the file readable by its owner only, because the store holds secrets of the service. */
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
