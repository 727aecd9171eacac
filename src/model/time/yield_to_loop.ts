/**
 * Keeps long work from blocking the service. Call the returned function between pieces of work: it
 * lets other tasks run when `sliceMs` have passed since the last time.
 */
export function createYielder(sliceMs = 20, now = () => performance.now()): () => Promise<void> {
  let startedAt = -Infinity;
  return async () => {
    // The slice begins when the last pause ended.
    if (now() - startedAt < sliceMs) return;
    await giveWay();
    startedAt = now();
  };
}

/** Work on fewer bytes takes only a few milliseconds. */
const LARGE_BYTES = 65_536;

/** Lets other tasks run after work on a value of this size, if the value is large. */
export async function giveWayAfter(bytes: number): Promise<void> {
  if (bytes > LARGE_BYTES) await giveWay();
}

/** Lets every task that is ready run once. */
export async function giveWay(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
