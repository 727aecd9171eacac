/** Whose entry it is: owners take turns, and within an owner its flows do. */
export interface QueueOwner {
  readonly owner: string;
  readonly flow: string;
}

/**
 * A queue that serves its owners in turn, and the flows of each owner in turn, so that one with a thousand
 * entries delays nobody else.
 */
export interface FairQueue<Entry extends QueueOwner> {
  readonly size: number;
  push(entry: Entry): void;
  remove(entry: Entry): boolean;
  /**
   * Offers the first entry of each flow in turn and takes out those that `take` accepts, until a whole
   * round accepted nothing.
   */
  takeWhere(take: (entry: Entry) => boolean): void;
  /**
   * Removes the last entry of the longest flow of the owner with most entries. Between equals, those of
   * `newcomer` are the longest.
   */
  removeFromLongest(newcomer: Entry): Entry;
  /** Every entry, in no order that matters. */
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

  /** Lets one flow of this owner have its turn. */
  function serve(owner: string, flows: Flows<Entry>, take: (entry: Entry) => boolean): boolean {
    for (const [flow, [entry]] of [...flows]) {
      if (entry === undefined || !take(entry)) continue;
      remove(entry);
      // Who was served goes to the end of the line.
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
