/**
 * Waits until the time is over or the signal aborts. A pause does not keep the process alive.
 *
 * @returns false if the signal ended the pause.
 */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = () => {
    clearTimeout(timer);
    resolve(false);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    resolve(true);
  }, ms);
  Deno.unrefTimer(timer);
  signal.addEventListener("abort", stop, { once: true });
  return promise;
}
