/**
 * Notices that the file of a store was deleted, replaced or written by somebody else while this
 * process has it open. SQLite would go on without a word, in a file that has no name any more or
 * over foreign pages, and everything would be lost at the next start.
 *
 * Names are looked at after each write, before it is acknowledged; contents every second.
 */
import { DatabaseSync } from "node:sqlite";
import { GateError } from "../model/errors.ts";
import { type FileMarks, isStoreHeader, openMarkReader } from "./kv_file_marks.ts";

const LOOK_EVERY_MS = 1_000;
/** A checkpoint may be under way at one look; not in the same state at the next. */
const SUSPICIONS_MAX = 2;
/** How long values are read at each look, to meet damage that came beside a checkpoint. */
const READ_MS = 3;
const ROWS_MAX = 20;
const START: KvKey = new Uint8Array();
type KvKey = ReturnType<Uint8Array["slice"]>;
const DAMAGE = /not a database|malformed|corrupt|no such table|it went back/;
/** What SQLite says of a file that ends too early, and of a disk that fails. */
const UNREADABLE = /disk I\/O error/;

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

export async function watchKvFile(deps: KvFileWatchDeps): Promise<KvFileWatch> {
  const { path } = deps;
  const names = [path, `${path}-wal`, `${path}-shm`, `${path}.lock`];
  const identities = await Promise.all(names.map(identityOf));
  const reader = openMarkReader(path);
  const keeper = openKeeper(path);
  let marks = reader.read();
  let version = withReader(path, storedVersion);
  let lastRead = START;
  let suspicions = 0;
  let unreadableLooks = 0;
  let fault: GateError | null = null;
  let isFileOwn = true;

  function raise(what: string, isOwn: boolean): GateError {
    if (!isOwn) setLogAside(path, identities[1] ?? null);
    fault = new GateError("ERR_STORE", `Cannot use the store: ${what} while the service ran`, {
      hint: isOwn
        ? "Restart toolgate: what it holds is written when it stops"
        : `Stop toolgate, put a backup at "${path}" without "-wal" and "-shm" files, and start it. ` +
          "What was written since that backup is lost",
    });
    isFileOwn = isOwn;
    deps.onFault(fault);
    // The engine's own work would end the process where it meets a damaged page.
    if (!isOwn) deps.abandon();
    return fault;
  }

  async function confirmNames(): Promise<void> {
    if (fault !== null) throw fault;
    const now = await Promise.all(names.map(identityOf));
    if (fault !== null) throw fault;
    const index = now.findIndex((identity, at) => identity !== identities[at]);
    if (index === -1) return;
    const what = now[index] === null ? "was deleted or moved" : "was replaced";
    // The first is the store itself: without it nothing can be saved.
    throw raise(`"${names[index]}" ${what}`, index > 0);
  }

  function readMore(database: DatabaseSync): void {
    const now = storedVersion(database);
    if (!(now >= version)) throw new Error(`it went back from commit ${version} to ${now}`);
    version = now;
    lastRead = readSome(database, lastRead);
  }

  async function look(): Promise<void> {
    await confirmNames();
    const next = reader.read();
    if (fault !== null) return;
    const suspicion = suspicionOf(marks, next);
    if (suspicion === null) {
      suspicions = 0;
      marks = next;
      withReader(path, readMore);
      unreadableLooks = 0;
      return;
    }
    if (++suspicions < SUSPICIONS_MAX) return;
    if (suspicion === "touched") {
      await readAll(path);
      suspicions = 0;
      marks = next;
      return;
    }
    raise(`"${path}" ${suspicion}`, false);
  }

  function judge(reason: string): void {
    if (fault !== null) return;
    if (DAMAGE.test(reason)) raise(`"${path}" was damaged (${reason})`, false);
    else if (UNREADABLE.test(reason) && ++unreadableLooks >= SUSPICIONS_MAX) {
      raise(`"${path}" was cut, or its disk fails (${reason}),`, false);
    }
    // Whatever else keeps it from looking says nothing of the file; the next look follows soon.
  }

  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    if (fault !== null) return clearInterval(timer);
    looking ??= look().catch((error) => {
      judge(error instanceof Error ? error.message : String(error));
    }).finally(() => looking = null);
  }, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);

  return {
    fault: () => fault,
    confirmNames,
    isFileOwn: () => isFileOwn,
    async stop() {
      clearInterval(timer);
      await looking;
      // Of a file that is not its own, SQLite would write what it holds back when the last one closes.
      if (isFileOwn) keeper.close();
    },
    close: () => reader.close(),
  };
}

/** What cannot be SQLite's doing; `touched` if only the time of the last change moved. */
function suspicionOf(before: FileMarks, now: FileMarks): string | null {
  if (!isStoreHeader(now.header)) return "was overwritten";
  if (now.logProblem !== null) return `lost its write-ahead log, which ${now.logProblem},`;
  if (now.checkpoint !== before.checkpoint || now.isMoving || before.isMoving) return null;
  if (now.sizeBytes !== before.sizeBytes || now.header !== before.header) {
    return "was written by another program";
  }
  return now.changedAtMs === before.changedAtMs ? null : "touched";
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

/** A connection of its own reads the files; those that are open would answer from memory. */
function withReader<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Grows with every commit. */
function storedVersion(database: DatabaseSync): number {
  return Number(
    database.prepare("select version from data_version where k = 0").get()?.["version"],
  );
}

/**
 * Reads values for a moment; SQLite throws where a page is damaged.
 *
 * @param after the key to go on behind.
 * @returns the last key that was read; empty at the end.
 */
function readSome(database: DatabaseSync, after: KvKey): KvKey {
  const until = performance.now() + READ_MS;
  // The last byte of a value is reached through all of its pages. (`iterate()` would hide an error.)
  const rows = database.prepare(
    `select k, substr(v, -1) from kv where k > ? order by k limit ${ROWS_MAX}`,
  );
  for (let last = after;;) {
    const key = rows.all(last).at(-1)?.["k"];
    if (!(key instanceof Uint8Array)) return START;
    last = key.slice();
    if (performance.now() > until) return last;
  }
}

async function readAll(path: string): Promise<void> {
  let after = START;
  do {
    after = withReader(path, (database) => readSome(database, after));
    await new Promise((resolve) => setTimeout(resolve));
  } while (after.length > 0);
}
