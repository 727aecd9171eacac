/** What an audit log does by itself: checkpoints when it is quiet, retention. */

export interface AuditMaintenance {
  /** Records were written: they get a checkpoint in time, also when nothing follows them. */
  written(): void;
  /** Trims now, after a trim that is under way. */
  trim(): Promise<number>;
  close(): Promise<void>;
}

export function startAuditMaintenance(
  deps: {
    isCheckpointDue: () => boolean;
    checkpoint: () => Promise<unknown>;
    checkpointEveryMs: number;
    firstTrimMs: number;
    trimEveryMs: number;
    trim: () => Promise<number>;
    onError: (error: unknown) => void;
  },
): AuditMaintenance {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let trimming: Promise<number> = Promise.resolve(0);
  let closed = false;

  /** One at a time: two would sign two beginnings of the chain. */
  function trim(): Promise<number> {
    const run = trimming.then(deps.trim);
    trimming = run.catch(() => 0); // whoever asked hears of it
    return run;
  }

  let trimTimer = scheduleTrim(deps.firstTrimMs);

  function scheduleTrim(afterMs: number): ReturnType<typeof setTimeout> {
    const next = setTimeout(() => {
      trimTimer = scheduleTrim(deps.trimEveryMs);
      trim().catch(deps.onError);
    }, afterMs);
    Deno.unrefTimer(Number(next));
    return next;
  }

  return {
    written() {
      if (timer !== null || closed || !deps.isCheckpointDue()) return;
      timer = setTimeout(() => {
        timer = null;
        if (deps.isCheckpointDue()) deps.checkpoint().catch(deps.onError);
      }, deps.checkpointEveryMs);
      Deno.unrefTimer(Number(timer));
    },
    trim,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      clearTimeout(trimTimer);
      await trimming;
    },
  };
}
