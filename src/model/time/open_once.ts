/** A thing that is opened at its first use and never twice. */
export interface OpenOnce<T> {
  /** Opens it, or waits for the opening that runs; after a failure the next use tries again. */
  get(): Promise<T>;
  /** Null before it was opened. */
  current(): T | null;
  /** The same after an opening that runs has ended: what there is to close. Never fails. */
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
      await opening?.catch(() => null); // whoever asked for it hears of the failure
      return current();
    },
  };
}
