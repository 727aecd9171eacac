import type { CatalogSnapshot } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import { cleanLine } from "./clean_text.ts";
import { didYouMean } from "./decide_pin.ts";
import { composeSnapshot, type ServerEntry } from "./server_entry.ts";

export type ChangeListener = (snapshot: CatalogSnapshot, changed: readonly string[]) => void;

/** The entries of all servers in the order of the configuration, and the snapshot made from them. */
export interface EntryBoard {
  readonly isClosed: boolean;
  snapshot(): CatalogSnapshot;
  get(server: string): ServerEntry | undefined;
  /** By name or by identifier. @throws {GateError} `ERR_NOT_FOUND` */
  find(server: string): ServerEntry;
  all(): Iterable<ServerEntry>;
  /** Stores an entry; no snapshot shows it before the next {@linkcode EntryBoard.publish}. */
  put(entry: ServerEntry): void;
  publish(): void;
  /** Resolves when the snapshot has the entry. Changes that come together make one snapshot. */
  replace(entry: ServerEntry): Promise<void>;
  /**
   * Called after each new snapshot with the servers that changed. @returns a function that ends
   * that
   */
  onChange(listener: ChangeListener): () => void;
  /** Stops: after this, the board makes no new snapshots. */
  close(): void;
}

export function createEntryBoard(): EntryBoard {
  const entries = new Map<string, ServerEntry>();
  const listeners = new Set<ChangeListener>();
  /** Servers whose entries are not yet in the snapshot. */
  const changed = new Set<string>();
  let publishing: Promise<void> | null = null;
  let isClosed = false;
  let snapshot = composeSnapshot(0, []);

  function publish(): void {
    publishing = null;
    if (isClosed) return;
    const servers = [...changed];
    changed.clear();
    snapshot = composeSnapshot(snapshot.revision + 1, entries.values());
    for (const listener of listeners) listener(snapshot, servers);
  }

  return {
    get isClosed() {
      return isClosed;
    },
    snapshot: () => snapshot,
    get: (server) => entries.get(server),
    find: (server) => findEntry(entries, server),
    all: () => entries.values(),
    put: (entry) => void entries.set(entry.server, entry),
    publish,
    replace(entry) {
      entries.set(entry.server, entry);
      changed.add(entry.server);
      publishing ??= soon(publish);
      return publishing;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      isClosed = true;
      listeners.clear();
    },
  };
}

function findEntry(entries: ReadonlyMap<string, ServerEntry>, server: string): ServerEntry {
  const entry = entries.get(server) ??
    [...entries.values()].find(({ identifier }) => identifier === server);
  if (entry) return entry;
  throw new GateError("ERR_NOT_FOUND", `Server "${cleanLine(server, 100)}" does not exist`, {
    hint: didYouMean(server, entries.keys()),
  });
}

/** Runs the work after all events that are due now. */
function soon(work: () => void): Promise<void> {
  return new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    })
  );
}
