/**
 * Notices that the file of a store was deleted, replaced or written by another program while this
 * process has the file open. SQLite would keep writing into a file without a name or over foreign
 * pages, without an error, and the next start would find nothing of that.
 *
 * The watch checks names after each write, before the store acknowledges the write. Every second it
 * checks names and contents.
 */
import { DatabaseSync } from "node:sqlite";
import { GateError } from "../../model/errors.ts";
import { type FileContents, openFileContents } from "./file_contents.ts";

const LOOK_EVERY_MS = 1_000;

export interface KvFileWatch {
  /** Why the store must not be used any more; null without a fault. */
  fault(): GateError | null;
  /** @throws {GateError} `ERR_STORE` if the files no longer have their names. */
  confirmNames(): Promise<void>;
  /** True if SQLite may still write its pending pages into the store's file. */
  isFileOwn(): boolean;
  /** Stops the checks, so that the engine can be closed. */
  stop(): Promise<void>;
  /** Closes the handles; call only once the engine is closed, or no program uses the file. */
  close(): void;
}

export interface KvFileWatchDeps {
  readonly path: string;
  readonly onFault: (error: GateError) => void;
  /** Closes the engine, which must not touch the file any more. */
  readonly abandon: () => void;
}

/** The names and identities of a store's files, and the fault found. */
interface WatchState {
  readonly deps: KvFileWatchDeps;
  /** The first is the store itself; a fault there means that pending writes are lost. */
  readonly names: readonly string[];
  readonly identities: readonly (string | null)[];
  fault: GateError | null;
  isFileOwn: boolean;
}

export async function watchKvFile(deps: KvFileWatchDeps): Promise<KvFileWatch> {
  const { path } = deps;
  const names = [path, `${path}-wal`, `${path}-shm`, `${path}.lock`];
  const identities = await Promise.all(names.map(identityOf));
  const state: WatchState = { deps, names, identities, fault: null, isFileOwn: true };
  const contents = openFileContents(path);
  const keeper = openKeeper(path);
  const looks = lookRegularly(() => look(state, contents), () => state.fault !== null);
  return {
    fault: () => state.fault,
    confirmNames: () => confirmNames(state),
    isFileOwn: () => state.isFileOwn,
    async stop() {
      await looks.stop();
      // When the last connection closes, SQLite writes pending pages: avoid that in a foreign file.
      if (state.isFileOwn) keeper.close();
    },
    close: () => contents.close(),
  };
}

/** Calls `look` every second, one at a time, until `isOver`. */
function lookRegularly(
  look: () => Promise<void>,
  isOver: () => boolean,
): { readonly stop: () => Promise<void> } {
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    if (isOver()) return clearInterval(timer);
    looking ??= look().finally(() => looking = null);
  }, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function look(state: WatchState, contents: FileContents): Promise<void> {
  try {
    await confirmNames(state);
  } catch {
    return; // the state holds the fault; the next look retries names that could not be read
  }
  if (state.fault !== null) return;
  const damage = await contents.look();
  if (damage !== null && state.fault === null) {
    raise(state, `"${state.deps.path}" ${damage}`, { isOwn: false });
  }
}

async function confirmNames(state: WatchState): Promise<void> {
  const { names, identities } = state;
  if (state.fault !== null) throw state.fault;
  const now = await Promise.all(names.map(identityOf));
  if (state.fault !== null) throw state.fault;
  const index = now.findIndex((identity, at) => identity !== identities[at]);
  if (index === -1) return;
  const what = now[index] === null ? "was deleted or moved" : "was replaced";
  throw raise(state, `"${names[index]}" ${what}`, { isOwn: index > 0 });
}

/** Sets the fault: from now on the store refuses all reads and writes. */
function raise(state: WatchState, what: string, { isOwn }: { isOwn: boolean }): GateError {
  const { deps: { path, onFault, abandon }, identities } = state;
  if (!isOwn) setLogAside(path, identities[1] ?? null);
  const fault = new GateError("ERR_STORE", `Cannot use the store: ${what} while the service ran`, {
    hint: isOwn
      ? "Restart toolgate: what it holds is written when it stops"
      : `Stop toolgate, put a backup at "${path}" without "-wal" and "-shm" files, and start it. ` +
        "What was written since that backup is lost",
  });
  state.fault = fault;
  state.isFileOwn = isOwn;
  onFault(fault);
  // The engine's background work would crash the process at a damaged page.
  if (!isOwn) abandon();
  return fault;
}

/**
 * Renames the write-ahead log: at the next start SQLite would apply it to any file with the store's
 * name, also to a restored backup.
 */
function setLogAside(path: string, identity: string | null): void {
  try {
    const { dev, ino } = Deno.statSync(`${path}-wal`);
    if (`${dev}:${ino}` === identity) Deno.renameSync(`${path}-wal`, `${path}-wal.lost`);
  } catch {
    // The log is gone too, or cannot be renamed: the hint tells the operator to remove it.
  }
}

/** Device and inode of the named file; null if the file does not exist. */
async function identityOf(name: string): Promise<string | null> {
  try {
    const { dev, ino } = await Deno.stat(name);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

/** While this connection is open, no other connection of this process is the last one. */
function openKeeper(path: string): DatabaseSync {
  const keeper = new DatabaseSync(path);
  keeper.prepare("select version from data_version").get();
  return keeper;
}
