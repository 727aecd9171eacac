/**
 * Keeps long work from blocking the service: call it between pieces, it gives way to other tasks once
 * `sliceMs` have gone by.
 */
export function createYielder(sliceMs = 20, now = () => performance.now()): () => Promise<void> {
  let startedAt = now();
  return async () => {
    if (now() - startedAt < sliceMs) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    startedAt = now();
  };
}
