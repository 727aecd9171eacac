/** Turns a flood of "something changed" into a few notices. */
export interface ChangeSignal {
  raise(): void;
  close(): void;
}

/**
 * The first notice goes out after `quietMs`, and then at most one per `everyMs`. A notice follows
 * each `raise()`, unless the signal closes first.
 */
export function createChangeSignal(options: {
  readonly quietMs: number;
  readonly everyMs: number;
  readonly notify: () => void;
}): ChangeSignal {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastAt = -Infinity;
  let closed = false;
  return {
    raise() {
      if (timer !== undefined || closed) return;
      const dueMs = Math.max(options.quietMs, lastAt + options.everyMs - Date.now());
      timer = setTimeout(() => {
        timer = undefined;
        lastAt = Date.now();
        options.notify();
      }, dueMs);
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
