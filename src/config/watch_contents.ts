import { pause } from "../model/time/pause.ts";

/** The shortest pause between two looks. */
const PAUSE_MS = 400;
/** A look that takes long is made less often, so that looking costs little of the time. */
const PAUSE_TO_LOOK = 50;
/** The longest pause: on a busy machine every look takes long, and a change has to be seen all the same. */
const PAUSE_MAX_MS = 1_000;
/** Contents count as written once they have not changed for so long. */
const QUIET_MS = 150;
/** Somebody who writes without a pause does not put a change off for ever. */
const QUIET_LOOKS_MAX = 5;

export interface ContentsWatch {
  /** Stops looking; resolves when nothing runs any more. */
  close(): Promise<void>;
}

/**
 * Calls back once contents have changed and have been quiet for a moment.
 *
 * It looks at the contents again and again instead of waiting for events of the file system: a folder that
 * is replaced, a link that is turned (as Kubernetes does for a ConfigMap), a mount that comes late and most
 * network file systems send none for the path that is meant.
 *
 * @param look describes the contents: the same text for the same contents. It never rejects.
 * @param seen what `look` told when the contents were read that are in use.
 * @param onChange is waited for before the next look; it never rejects.
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
