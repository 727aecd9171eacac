/** A resource that is opened at its first use and never twice. */
export interface OpenOnce<T> {
  /** Opens it, or waits for the running attempt; after a failure the next call tries again. */
  get(): Promise<T>;
  /** Null until it is open. */
  current(): T | null;
  /** Waits for a running attempt, then returns the resource to close, or null. Never fails. */
  settled(): Promise<T | null>;
}

export function openOnce<T>(open: () => Promise<T>): OpenOnce<T> {
  let opening: Promise<T> | null = null;
  let opened: { readonly value: T } | null = null;
  const current = () => opened === null ? null : opened.value;
  return {
    get() {
      opening ??= open().then(
        (value) => {
          opened = { value };
          return value;
        },
        (error) => {
          opening = null;
          throw error;
        },
      );
      return opening;
    },
    current,
    async settled() {
      await opening?.catch(() => null); // get() reports the failure to its caller
      return current();
    },
  };
}
