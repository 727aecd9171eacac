/**
 * Waits; cut short by the signal. A pause keeps no process alive.
 *
 * @returns false if it was cut short.
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
