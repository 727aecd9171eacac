/** A running deadline. */
export interface Deadline {
  cancel(): void;
}

const STEPS = 8;
const STEP_MS_MIN = 10;
const STEP_MS_MAX = 1_000;

/**
 * Calls `onDue` when the other side (a store, a host, an upstream) has had its time to answer.
 *
 * Counts only time in which this process could have received an answer. After a blocked event loop,
 * a plain timer fires before the waiting answer is read from the socket: our own pause would look
 * like a dead peer. The deadline therefore runs in steps. A late step counts only its planned
 * length, and another step follows a late last one.
 */
export function startDeadline(ms: number, onDue: () => void): Deadline {
  const stepMs = Math.min(Math.max(ms / STEPS, STEP_MS_MIN), STEP_MS_MAX);
  let leftMs = ms;
  /** Bounds the wait in a process that is late all the time. */
  let extraSteps = STEPS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    const step = Math.min(stepMs, leftMs);
    const startedAt = performance.now();
    timer = setTimeout(() => {
      const isLate = performance.now() - startedAt > step + stepMs / 2;
      leftMs -= step;
      if (leftMs <= 0 && isLate && extraSteps-- > 0) leftMs = stepMs;
      if (leftMs > 0) arm();
      else onDue();
    }, step);
  };
  arm();
  return { cancel: () => clearTimeout(timer) };
}

/**
 * What another side answers, if it answers within its time; else null, and its answer is lost. Time in
 * which this process could not have heard an answer does not count.
 */
export async function withinDeadline<T>(answer: Promise<T>, ms: number): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const deadline = startDeadline(ms, () => resolve(null));
  try {
    return await Promise.race([answer, promise]);
  } finally {
    deadline.cancel();
  }
}
