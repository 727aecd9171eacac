/**
 * Keeps long work from blocking the service: called between pieces, it gives way to other tasks once
 * `sliceMs` have gone by since it last did.
 */
export function createYielder(sliceMs = 20, now = () => performance.now()): () => Promise<void> {
  let startedAt = -Infinity;
  return async () => {
    // After a pause the slice begins anew.
    if (now() - startedAt < sliceMs) return;
    await giveWay();
    startedAt = now();
  };
}

/** Work on less than this is over in a few milliseconds. */
const LARGE_BYTES = 65_536;

/** Gives way to other tasks between two pieces of work on a value of this size, if that is large. */
export async function giveWayAfter(bytes: number): Promise<void> {
  if (bytes > LARGE_BYTES) await giveWay();
}

/** Lets everything run once that is ready. */
export async function giveWay(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
