import type { DataQuery } from "../tests/search/data_folder.ts";

/** Quality over labelled queries, in percent, and time per query in milliseconds. */
export interface Metrics {
  readonly queries: number;
  readonly recall1: number;
  readonly recall5: number;
  readonly recall10: number;
  readonly ndcg10: number;
  readonly p50: number;
  readonly p95: number;
}

/**
 * @param rank the keys of the first ten tools, best first.
 * @see Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques, 2002
 */
export function evaluate(
  queries: readonly DataQuery[],
  rank: (query: string) => readonly string[],
): Metrics {
  const sums = { recall1: 0, recall5: 0, recall10: 0, ndcg10: 0 };
  const times: number[] = [];
  for (const query of queries) {
    const startedAt = performance.now();
    const keys = rank(query.query).slice(0, 10);
    times.push(performance.now() - startedAt);
    const relevant = new Set(query.relevant);
    const wanted = query.any ? 1 : relevant.size;
    const hits = keys.map((key) => (relevant.has(key) ? 1 : 0));
    const found = (count: number) =>
      Math.min(wanted, hits.slice(0, count).reduce<number>((sum, hit) => sum + hit, 0)) / wanted;
    sums.recall1 += found(1);
    sums.recall5 += found(5);
    sums.recall10 += found(10);
    sums.ndcg10 += gain(hits, wanted) / gain(Array(wanted).fill(1), wanted);
  }
  const percent = (sum: number) => (100 * sum) / Math.max(1, queries.length);
  return {
    queries: queries.length,
    recall1: percent(sums.recall1),
    recall5: percent(sums.recall5),
    recall10: percent(sums.recall10),
    ndcg10: percent(sums.ndcg10),
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
  };
}

function gain(hits: readonly number[], wanted: number): number {
  let sum = 0;
  let counted = 0;
  for (const [place, hit] of hits.slice(0, 10).entries()) {
    if (hit === 0 || counted === wanted) continue;
    counted++;
    sum += 1 / Math.log2(place + 2);
  }
  return sum;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** One edit in about a third of the words of five letters or more; the same edits in every run. */
export function misspell(text: string, seed: number): string {
  let state = seed * 2_654_435_761 + 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  return text.replace(/[A-Za-z]{5,}/g, (word) => {
    if (random() > 0.3) return word;
    const at = 1 + Math.floor(random() * (word.length - 2));
    const letter = String.fromCharCode(97 + Math.floor(random() * 26));
    switch (Math.floor(random() * 4)) {
      case 0:
        return word.slice(0, at) + word.slice(at + 1);
      case 1:
        return word.slice(0, at) + letter + word.slice(at);
      case 2:
        return word.slice(0, at) + letter + word.slice(at + 1);
      default:
        return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
    }
  });
}
