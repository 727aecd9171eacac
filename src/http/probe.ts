/** The result of a health check of one part of the service. */
export type ProbeAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** Maximum wait for an answer: `/readyz` as a whole answers within a second. */
const PATIENCE_MS = 700;
/** The probe gives up a question after this long and asks again. */
const GIVEN_UP_MS = 15_000;
/** Maximum of open questions, so that they cannot pile up at a part that hangs. */
const OPEN_MAX = 3;

interface Question<T> {
  readonly number: number;
  readonly answer: Promise<ProbeAnswer<T>>;
  /** When the probe asked, in milliseconds of a steady clock. */
  readonly since: number;
}

/**
 * Makes a check that always answers soon. All callers share one question; if it takes too long, the
 * answer says for how long the part has not answered.
 */
export function createProbe<T>(
  ask: () => Promise<T>,
  options: { readonly now?: () => number } = {},
): (patienceMs?: number) => Promise<ProbeAnswer<T>> {
  const { now = () => performance.now() } = options;
  let open = 0;
  let asked = 0;
  let current: Question<T> | null = null;

  async function answerOf(number: number): Promise<ProbeAnswer<T>> {
    open++;
    try {
      return { ok: true, value: await ask() };
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      open--;
      if (current?.number === number) current = null;
    }
  }

  function question(): Question<T> {
    if (current !== null && (now() - current.since < GIVEN_UP_MS || open >= OPEN_MAX)) {
      return current;
    }
    const number = ++asked;
    return current = { number, answer: answerOf(number), since: now() };
  }

  return async (patienceMs = PATIENCE_MS) => {
    const { answer, since } = question();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<ProbeAnswer<T>>((resolve) => {
      timer = setTimeout(() => {
        const ms = Math.round(now() - since);
        resolve({ ok: false, reason: `it has not answered for ${ms} ms` });
      }, patienceMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
