/** What came of asking one part of the service whether it works. */
export type ProbeAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** How long an answer is waited for: the whole of `/readyz` answers within a second. */
const PATIENCE_MS = 700;
/** A question without an answer for this long is given up, and asked again. */
const GIVEN_UP_MS = 15_000;
/** Questions without an answer at once, so that a part that hangs for ever does not gather them. */
const OPEN_MAX = 3;

interface Question<T> {
  readonly number: number;
  readonly answer: Promise<ProbeAnswer<T>>;
  /** When it was asked. */
  readonly since: number;
}

/**
 * Makes a check that always answers soon: all who ask share one question, and a question that takes
 * long is answered with that.
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
