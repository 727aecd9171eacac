/** A running deadline. */
export interface Deadline {
  cancel(): void;
}

const STEPS = 8;
const STEP_MS_MIN = 10;
const STEP_MS_MAX = 1_000;

/**
 * Calls back when another side (a store, a host, an upstream) has had its time to answer.
 *
 * Counts only time in which this process could have heard an answer. While something holds the event loop
 * a plain timer goes on, and fires before the answer that waits in the socket is read, so that our own
 * pause is taken for the other's death. So the time is measured in steps: a step that took longer counts
 * for what it should have taken, and a last step that came late is followed by another one.
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
