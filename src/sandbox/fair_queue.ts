/** A queue that serves its owners in turn, so that one with a thousand entries delays nobody else. */
export interface FairQueue<Entry> {
  readonly size: number;
  sizeOf(owner: string): number;
  push(owner: string, entry: Entry): void;
  has(entry: Entry): boolean;
  remove(entry: Entry): boolean;
  /**
   * Offers the first entry of each owner in turn and takes out those that `take` accepts, until a whole
   * round accepted nothing.
   */
  takeWhere(take: (entry: Entry) => boolean): void;
  drain(): Entry[];
}

export function createFairQueue<Entry>(): FairQueue<Entry> {
  /** Owners in the order in which they are served next. */
  const owners = new Map<string, Entry[]>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    sizeOf: (owner) => owners.get(owner)?.length ?? 0,
    push(owner, entry) {
      const entries = owners.get(owner);
      if (entries === undefined) owners.set(owner, [entry]);
      else entries.push(entry);
      size++;
    },
    has(entry) {
      for (const entries of owners.values()) if (entries.includes(entry)) return true;
      return false;
    },
    remove(entry) {
      for (const [owner, entries] of owners) {
        const index = entries.indexOf(entry);
        if (index < 0) continue;
        entries.splice(index, 1);
        if (entries.length === 0) owners.delete(owner);
        size--;
        return true;
      }
      return false;
    },
    takeWhere(take) {
      let accepted = true;
      while (accepted && size > 0) {
        accepted = false;
        for (const [owner, entries] of [...owners]) {
          const entry = entries[0];
          if (entry === undefined || !take(entry)) continue;
          accepted = true;
          size--;
          entries.shift();
          // Who was served goes to the end of the line.
          owners.delete(owner);
          if (entries.length > 0) owners.set(owner, entries);
        }
      }
    },
    drain() {
      const all = [...owners.values()].flat();
      owners.clear();
      size = 0;
      return all;
    },
  };
}
