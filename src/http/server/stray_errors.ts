import type { Log } from "../../model/log.ts";

/** Source of a stray error: an unhandled promise rejection or an uncaught exception. */
export type StrayOrigin = "promise" | "exception";

export interface StrayErrorStatus {
  readonly count: number;
  /** RFC 3339; null if there was none. */
  readonly lastAt: string | null;
}

/**
 * Errors that no part of the service handled. Each one is a defect, but not a reason to end: the
 * health checks watch the parts that a call needs. They are logged, counted and shown to the
 * operator.
 */
export interface StrayErrors {
  note(origin: StrayOrigin, error: unknown): void;
  status(): StrayErrorStatus;
}

export interface StrayErrorDeps {
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Hides known secrets. */
  readonly mask: (text: string) => string;
  readonly count: (origin: StrayOrigin) => void;
}

/** Log lines per span of time; further errors are only counted. */
const LOGGED_MAX = 10;
const LOGGED_EVERY_MS = 60_000;
const STACK_CHARACTERS_MAX = 4_000;

export function createStrayErrors(deps: StrayErrorDeps): StrayErrors {
  let count = 0;
  let lastAt: number | null = null;
  let spanStart = -Infinity;
  let logged = 0;
  let unlogged = 0;

  function write(origin: StrayOrigin, error: unknown, now: number): void {
    if (now - spanStart >= LOGGED_EVERY_MS || now < spanStart) {
      spanStart = now;
      logged = 0;
    }
    if (logged >= LOGGED_MAX) {
      unlogged++;
      return;
    }
    logged++;
    const cause = deps.mask(describe(error)).slice(0, STACK_CHARACTERS_MAX);
    const more = unlogged === 0 ? {} : { notLoggedBefore: unlogged };
    unlogged = 0;
    deps.log("error", "Nobody waited for this error; the service goes on", {
      origin,
      cause,
      ...more,
    });
  }

  return {
    note(origin, error) {
      const now = deps.now();
      count++;
      lastAt = now;
      deps.count(origin);
      write(origin, error, now);
    },
    status: () => ({ count, lastAt: lastAt === null ? null : new Date(lastAt).toISOString() }),
  };
}

/** Never throws, whatever was thrown. */
function describe(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const stack = error.stack ?? `${error.name}: ${error.message}`;
    return error.cause === undefined ? stack : `${stack}\nCaused by: ${String(error.cause)}`;
  } catch {
    return "a value that cannot be described";
  }
}
