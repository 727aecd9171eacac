/**
 * Notices that the file of a store was deleted, replaced or written by somebody else while this
 * process has it open. SQLite would go on without a word, in a file that has no name any more or
 * over foreign pages, and everything would be lost at the next start.
 *
 * Names are looked at after each write, before it is acknowledged; contents every second.
 */
import { DatabaseSync } from "node:sqlite";
import { GateError } from "../../model/errors.ts";
import { type FileContents, openFileContents } from "./file_contents.ts";

const LOOK_EVERY_MS = 1_000;

export interface KvFileWatch {
  /** Why the store must not be used any more; null while all is well. */
  fault(): GateError | null;
  /** @throws {GateError} `ERR_STORE` if the files no longer have their names. */
  confirmNames(): Promise<void>;
  /** True if SQLite may still write what it holds back into the store's file. */
  isFileOwn(): boolean;
  /** Stops looking, so that the engine can be closed. */
  stop(): Promise<void>;
  /** Gives the handles up; only once the engine is closed, or nobody uses the file any more. */
  close(): void;
}

export interface KvFileWatchDeps {
  readonly path: string;
  readonly onFault: (error: GateError) => void;
  /** Closes the engine, which must touch the file no more. */
  readonly abandon: () => void;
}

/** The files of a store by their names, and what was found wrong with them. */
interface WatchState {
  readonly deps: KvFileWatchDeps;
  /** The first is the store itself: without it nothing can be saved. */
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
      // Of a file that is not its own, SQLite would write what it holds back when the last one closes.
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
    return; // a fault is kept in the state; names that cannot be read are looked at again
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

/** From now on the store refuses everything. */
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
  // The engine's own work would end the process where it meets a damaged page.
  if (!isOwn) abandon();
  return fault;
}

/**
 * SQLite would play the write-ahead log into whatever file has the store's name at the next start, a
 * backup that was put there among them.
 */
function setLogAside(path: string, identity: string | null): void {
  try {
    const { dev, ino } = Deno.statSync(`${path}-wal`);
    if (`${dev}:${ino}` === identity) Deno.renameSync(`${path}-wal`, `${path}-wal.lost`);
  } catch {
    // It has gone with the file, or cannot be moved: the hint tells people to remove it.
  }
}

/** Device and number of what has the name; null if nothing has it. */
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

/** While this connection is open, no other of this process is the last one. */
function openKeeper(path: string): DatabaseSync {
  const keeper = new DatabaseSync(path);
  keeper.prepare("select version from data_version").get();
  return keeper;
}
