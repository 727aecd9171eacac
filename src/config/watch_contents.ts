import { pause } from "../model/time/pause.ts";

/** The shortest pause between two checks. */
const PAUSE_MS = 400;
/** A pause is this many times as long as the check before it, so that checks cost little time. */
const PAUSE_TO_LOOK = 50;
/** The longest pause: on a busy machine checks take long, but must still notice a change. */
const PAUSE_MAX_MS = 1_000;
/** Contents count as written once they have not changed for so long. */
const QUIET_MS = 150;
/** After this many checks a change counts, even if the contents still change all the time. */
const QUIET_LOOKS_MAX = 5;

export interface ContentsWatch {
  /** Stops checking; resolves when the last check and callback are done. */
  close(): Promise<void>;
}

/**
 * Calls back once contents have changed and have been quiet for a moment.
 *
 * It polls the contents instead of waiting for events of the file system. Some changes send no
 * event for the watched path: a replaced folder, a link with a new target (a Kubernetes ConfigMap),
 * a late mount, and most network file systems.
 *
 * @param look describes the contents: the same text for the same contents. It never rejects.
 * @param seen the result of `look` for the contents that are now in use.
 * @param onChange the next check waits for it; it never rejects.
 */
export function watchContents(
  look: () => Promise<string>,
  seen: string,
  onChange: () => Promise<void>,
): ContentsWatch {
  const closing = new AbortController();
  let pauseMs = PAUSE_MS;
  let last = seen;

  async function lookTimed(): Promise<string> {
    const from = performance.now();
    const contents = await look();
    const wantedMs = (performance.now() - from) * PAUSE_TO_LOOK;
    pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MS, wantedMs));
    return contents;
  }

  async function lookUntilQuiet(first: string): Promise<string> {
    let contents = first;
    for (let looks = 0; looks < QUIET_LOOKS_MAX; looks++) {
      if (!await pause(QUIET_MS, closing.signal)) break;
      const next = await lookTimed();
      if (next === contents) break;
      contents = next;
    }
    return contents;
  }

  async function follow(): Promise<void> {
    while (await pause(pauseMs, closing.signal)) {
      const contents = await lookTimed();
      if (contents === last) continue;
      last = await lookUntilQuiet(contents);
      if (!closing.signal.aborted) await onChange();
    }
  }

  const following = follow();
  return {
    async close() {
      closing.abort();
      await following;
    },
  };
}
