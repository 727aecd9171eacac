/**
 * Looks for damage in the file of a store while SQLite has the file open: finds writes by other
 * programs, and reads a few values at each look, so that over time it reads all of them.
 */
import { DatabaseSync } from "node:sqlite";
import { type FileMarks, isStoreHeader, openMarkReader } from "./file_marks.ts";

/** Suspicious looks in a row before a fault: a checkpoint under way explains one, but not two. */
const SUSPICIONS_MAX = 2;
/** Time for reading values at each look, to find damage that came during a checkpoint. */
const READ_MS = 3;
const ROWS_MAX = 20;
const START: KvKey = new Uint8Array();
type KvKey = ReturnType<Uint8Array["slice"]>;
const DAMAGE = /not a database|malformed|corrupt|no such table|it went back/;
/** SQLite's message about a file that ends too early, and about a failing disk. */
const UNREADABLE = /disk I\/O error/;

export interface FileContents {
  /** @returns the damage to the file, such as `was overwritten`; null if nothing is wrong. */
  look(): Promise<string | null>;
  close(): void;
}

/** State that one look passes to the next. */
interface ContentState {
  readonly path: string;
  marks: FileMarks;
  /** Number of the last commit. */
  version: number;
  lastRead: KvKey;
  suspicions: number;
  unreadableLooks: number;
}

/** @param path of the store's file, which SQLite has open in WAL mode. */
export function openFileContents(path: string): FileContents {
  const reader = openMarkReader(path);
  const state: ContentState = {
    path,
    marks: reader.read(),
    version: withReader(path, storedVersion),
    lastRead: START,
    suspicions: 0,
    unreadableLooks: 0,
  };
  return {
    async look() {
      try {
        return await compare(state, reader.read());
      } catch (error) {
        return judge(state, error instanceof Error ? error.message : String(error));
      }
    },
    close: () => reader.close(),
  };
}

async function compare(state: ContentState, marks: FileMarks): Promise<string | null> {
  const suspicion = suspicionOf(state.marks, marks);
  if (suspicion === null) {
    state.suspicions = 0;
    state.marks = marks;
    withReader(state.path, (database) => readMore(state, database));
    state.unreadableLooks = 0;
    return null;
  }
  if (++state.suspicions < SUSPICIONS_MAX) return null;
  if (suspicion !== "touched") return suspicion;
  await readAll(state.path);
  state.suspicions = 0;
  state.marks = marks;
  return null;
}

function readMore(state: ContentState, database: DatabaseSync): void {
  const now = storedVersion(database);
  if (!(now >= state.version)) {
    throw new Error(`it went back from commit ${state.version} to ${now}`);
  }
  state.version = now;
  state.lastRead = readSome(database, state.lastRead);
}

/** The damage that a read error shows; null for an error that does not show damage. */
function judge(state: ContentState, reason: string): string | null {
  if (DAMAGE.test(reason)) return `was damaged (${reason})`;
  if (UNREADABLE.test(reason) && ++state.unreadableLooks >= SUSPICIONS_MAX) {
    return `was cut, or its disk fails (${reason}),`;
  }
  return null;
}

/** A change that SQLite cannot have made; `touched` if only the time of the last change moved. */
function suspicionOf(before: FileMarks, now: FileMarks): string | null {
  if (!isStoreHeader(now.header)) return "was overwritten";
  if (now.logProblem !== null) return `lost its write-ahead log, which ${now.logProblem},`;
  if (now.checkpoint !== before.checkpoint || now.isMoving || before.isMoving) return null;
  if (now.sizeBytes !== before.sizeBytes || now.header !== before.header) {
    return "was written by another program";
  }
  return now.changedAtMs === before.changedAtMs ? null : "touched";
}

/** Opens a new connection, because open connections would answer from memory. */
function withReader<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Number of the last commit; grows with every commit. */
function storedVersion(database: DatabaseSync): number {
  return Number(
    database.prepare("select version from data_version where k = 0").get()?.["version"],
  );
}

/**
 * Reads values for `READ_MS`; SQLite throws at a damaged page.
 *
 * @param after the last key of the previous read.
 * @returns the last key that was read; empty at the end.
 */
function readSome(database: DatabaseSync, after: KvKey): KvKey {
  const until = performance.now() + READ_MS;
  // For the last byte of a value, SQLite reads all its pages. (`iterate()` would hide an error.)
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
