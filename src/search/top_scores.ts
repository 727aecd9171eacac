/** Keeps the best of many candidates: a heap with the worst of the kept ones on top. */
export interface Scored {
  score: number;
  /** Breaks ties, so that the same candidates always come in the same order. */
  readonly id: string;
}

export interface TopScores<Candidate extends Scored> {
  /** The heap does not keep a candidate with a score below this. */
  floor(): number;
  offer(candidate: Candidate): void;
  /** Best first; empties the heap. */
  take(): Candidate[];
}

/** Higher score first, then lower id. */
export function compareScored(a: Scored, b: Scored): number {
  return b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export function createTopScores<Candidate extends Scored>(max: number): TopScores<Candidate> {
  let heap: Candidate[] = [];
  const isWorse = (a: Candidate, b: Candidate) => compareScored(a, b) > 0;

  function at(index: number): Candidate {
    const candidate = heap[index];
    if (candidate === undefined) throw new RangeError("Heap index out of range");
    return candidate;
  }

  function swap(a: number, b: number): void {
    const first = at(a);
    heap[a] = at(b);
    heap[b] = first;
  }

  function rise(from: number): void {
    for (let index = from; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!isWorse(at(index), at(parent))) return;
      swap(index, parent);
      index = parent;
    }
  }

  function sink(): void {
    for (let index = 0;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const child = right < heap.length && isWorse(at(right), at(left)) ? right : left;
      if (!isWorse(at(child), at(index))) return;
      swap(index, child);
      index = child;
    }
  }

  return {
    floor: () => heap.length < max ? -Infinity : at(0).score,
    offer(candidate) {
      if (heap.length < max) {
        heap.push(candidate);
        rise(heap.length - 1);
      } else if (isWorse(at(0), candidate)) {
        heap[0] = candidate;
        sink();
      }
    },
    take() {
      const kept = heap.sort(compareScored);
      heap = [];
      return kept;
    },
  };
}
