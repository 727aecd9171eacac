/**
 * Returns the value of a promise, or null if it does not settle within `ms`. A failure in time is
 * thrown; a later outcome is ignored here.
 */
export async function withinMs<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  try {
    // The race also handles a later failure, so it is not an unhandled rejection.
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True if a promise resolves within `ms`. A failure in time is thrown. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return await withinMs(work.then(() => true), ms) ?? false;
}
