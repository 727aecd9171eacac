/**
 * What a promise gives, if it takes no longer than this; else null, and what becomes of it then is for
 * whoever else waits for it. A failure in time is thrown.
 */
export async function withinMs<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  try {
    // The race also hears of a failure that comes too late.
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True if a promise settles well in this time. A failure in time is thrown. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return await withinMs(work.then(() => true), ms) ?? false;
}
