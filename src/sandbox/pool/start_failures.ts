import type { Lane } from "./pooled_host.ts";

/** Counts failed starts in a row, lane by lane: retries a few, then gives the lane up. */
export interface StartFailures {
  /** Notes a failed start: tries again soon, or gives up. */
  note(lane: Lane, reason: string): void;
  /** Resets the count after a start that succeeded. */
  clear(lane: Lane): void;
  close(): void;
}

export interface StartFailuresOptions {
  readonly log: (level: "error", message: string) => void;
  readonly onRetry: () => void;
  /** Called after too many failures in a row. The next failure counts as the first one again. */
  readonly onGiveUp: (lane: Lane) => void;
}

const FAILURES_MAX = 3;
const RETRY_MS = 100;

export function createStartFailures(options: StartFailuresOptions): StartFailures {
  const counts = { common: 0, watched: 0, slow: 0 };
  const retries = new Set<ReturnType<typeof setTimeout>>();

  function retryLater(): void {
    const timer = setTimeout(() => {
      retries.delete(timer);
      options.onRetry();
    }, RETRY_MS);
    retries.add(timer);
  }

  return {
    note(lane, reason) {
      options.log("error", `Cannot start a sandbox host: ${printable(reason)}`);
      if (++counts[lane] < FAILURES_MAX) return retryLater();
      counts[lane] = 0;
      options.onGiveUp(lane);
    },
    clear(lane) {
      counts[lane] = 0;
    },
    close() {
      for (const timer of retries) clearTimeout(timer);
      retries.clear();
    },
  };
}

/** Text of a failed host, made safe for a log line. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must go
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 500);
}
