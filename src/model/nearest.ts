/**
 * The candidates closest in spelling to a word, for "did you mean".
 *
 * Uses the optimal string alignment distance, at most a third of the word's length. A candidate
 * that contains the word is always near.
 *
 * @returns at most `limit` candidates, nearest first.
 */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = fold(word);
  const distanceMax = Math.max(1, Math.floor(wanted.length / 3));
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    const other = fold(candidate);
    if (Math.abs(other.length - wanted.length) > distanceMax && !other.includes(wanted)) continue;
    const distance = other.includes(wanted) && wanted.length >= 3
      ? 1
      : alignmentDistance(wanted, other, distanceMax);
    if (distance <= distanceMax) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, limit).map((entry) => entry.candidate);
}

function fold(word: string): string {
  return word.slice(0, 128).toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

function alignmentDistance(a: string, b: string, distanceMax: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let best = row;
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        substitution,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(cost);
      best = Math.min(best, cost);
    }
    if (best > distanceMax) return distanceMax + 1;
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? distanceMax + 1;
}
