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

/** Lets everything run once that is ready. */
export async function giveWay(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
