/** The owner and flow of an entry: owners take turns, and so do the flows of one owner. */
export interface QueueOwner {
  readonly owner: string;
  readonly flow: string;
}

/**
 * A queue that serves its owners in turn, and the flows of each owner in turn, so that an owner
 * with a thousand entries does not delay the others.
 */
export interface FairQueue<Entry extends QueueOwner> {
  readonly size: number;
  push(entry: Entry): void;
  remove(entry: Entry): boolean;
  /**
   * Offers the first entry of each flow in turn and removes the entries that `take` accepts, until
   * a whole round accepts none.
   */
  takeWhere(take: (entry: Entry) => boolean): void;
  /**
   * Removes the last entry of the longest flow of the owner with most entries. Between equals, the
   * owner and the flow of `newcomer` lose.
   */
  removeFromLongest(newcomer: Entry): Entry;
  /** Every entry, in any order. */
  entries(): Iterable<Entry>;
  drain(): Entry[];
}

type Flows<Entry> = Map<string, Entry[]>;

export function createFairQueue<Entry extends QueueOwner>(): FairQueue<Entry> {
  /** Owners, and flows of each, in the order in which they are served next. */
  const owners = new Map<string, Flows<Entry>>();
  let size = 0;

  function remove(entry: Entry): boolean {
    const flows = owners.get(entry.owner);
    const entries = flows?.get(entry.flow);
    const index = entries?.indexOf(entry) ?? -1;
    if (flows === undefined || entries === undefined || index < 0) return false;
    entries.splice(index, 1);
    size--;
    if (entries.length === 0) flows.delete(entry.flow);
    if (flows.size === 0) owners.delete(entry.owner);
    return true;
  }

  /** Serves one flow of this owner. @returns false if `take` accepted none */
  function serve(owner: string, flows: Flows<Entry>, take: (entry: Entry) => boolean): boolean {
    for (const [flow, [entry]] of [...flows]) {
      if (entry === undefined || !take(entry)) continue;
      remove(entry);
      // The served flow and its owner go to the end of the line.
      moveToEnd(flows, flow);
      moveToEnd(owners, owner);
      return true;
    }
    return false;
  }

  return {
    get size() {
      return size;
    },
    push(entry) {
      const flows = owners.get(entry.owner) ?? new Map<string, Entry[]>();
      const entries = flows.get(entry.flow) ?? [];
      entries.push(entry);
      flows.set(entry.flow, entries);
      owners.set(entry.owner, flows);
      size++;
    },
    remove,
    takeWhere(take) {
      let accepted = true;
      while (accepted && size > 0) {
        accepted = false;
        for (const [owner, flows] of [...owners]) {
          if (serve(owner, flows, take)) accepted = true;
        }
      }
    },
    removeFromLongest(newcomer) {
      const flows = longest(owners, newcomer.owner, sizeOf);
      const entries = longest(flows, newcomer.flow, (entries) => entries.length);
      const last = entries.at(-1)!;
      remove(last);
      return last;
    },
    *entries() {
      for (const flows of owners.values()) for (const entries of flows.values()) yield* entries;
    },
    drain() {
      const all = [...this.entries()];
      owners.clear();
      size = 0;
      return all;
    },
  };
}

function sizeOf<Entry>(flows: Flows<Entry>): number {
  let sum = 0;
  for (const entries of flows.values()) sum += entries.length;
  return sum;
}

/** @returns the longest of them (there is one); the preferred one if none is longer */
function longest<Value extends object>(
  all: ReadonlyMap<string, Value>,
  preferred: string,
  lengthOf: (value: Value) => number,
): Value {
  let found = all.get(preferred) ?? all.values().next().value!;
  for (const value of all.values()) if (lengthOf(value) > lengthOf(found)) found = value;
  return found;
}

function moveToEnd<Value>(map: Map<string, Value>, key: string): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  map.set(key, value);
}
