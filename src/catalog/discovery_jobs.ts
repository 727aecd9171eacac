/**
 * Decides when upstreams are listed: at an interval, on their own notice, and on request. One
 * server is never listed twice at once, and its notices cannot cause more listings than the limit
 * here.
 */
export interface DiscoveryJobs {
  /** Lists a server; calls during a listing share one more listing after it. */
  run(server: string): Promise<void>;
  /** Lists a server once it is due, and again at each interval. */
  schedule(server: string, lastListedAt: number | null): void;
  close(): Promise<void>;
}

export interface DiscoveryJobsDeps {
  /** Lists one server. False if it failed. */
  readonly list: (server: string) => Promise<boolean>;
  /**
   * Called with the error of a scheduled listing; the listing is tried again later all the same.
   */
  readonly onError: (server: string, error: unknown) => void;
  readonly everyMs: number;
  readonly now: () => number;
}

/** Listings of one server that may follow each other at once; after those, one per `REFILL_MS`. */
const BURST = 10;
const REFILL_MS = 2_000;
const RETRY_MS_MIN = 5_000;

interface Job {
  running: Promise<void> | null;
  queued: Promise<void> | null;
  timer: ReturnType<typeof setTimeout> | undefined;
  failures: number;
  /** Listings that may still start at once, and when they were last counted. */
  tokens: number;
  countedAt: number;
}

export function createDiscoveryJobs(deps: DiscoveryJobsDeps): DiscoveryJobs {
  const jobs = new Map<string, Job>();
  const waits = new Set<() => void>();
  let isClosed = false;

  function jobOf(server: string): Job {
    const known = jobs.get(server);
    if (known) return known;
    const job: Job = {
      running: null,
      queued: null,
      timer: undefined,
      failures: 0,
      tokens: BURST,
      countedAt: deps.now(),
    };
    jobs.set(server, job);
    return job;
  }

  /** Resolves when the server may be listed again, or at close. */
  async function calm(job: Job): Promise<void> {
    const now = deps.now();
    job.tokens = Math.min(BURST, job.tokens + (now - job.countedAt) / REFILL_MS);
    job.countedAt = now;
    job.tokens -= 1;
    if (job.tokens >= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, -job.tokens * REFILL_MS);
    waits.add(resolve);
    await promise;
    clearTimeout(timer);
    waits.delete(resolve);
  }

  async function listNow(server: string, job: Job): Promise<void> {
    await calm(job);
    if (isClosed) return;
    let isListed = false;
    try {
      isListed = await deps.list(server);
    } finally {
      job.failures = isListed ? 0 : job.failures + 1;
      if (!isClosed) wait(server, job, isListed ? deps.everyMs : retryMs(job.failures));
    }
  }

  function retryMs(failures: number): number {
    return Math.min(deps.everyMs, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 20));
  }

  function wait(server: string, job: Job, ms: number): void {
    clearTimeout(job.timer);
    const timer = setTimeout(() => {
      run(server).catch((error) => deps.onError(server, error));
    }, ms);
    job.timer = timer;
    // A scheduled listing must not keep the process alive.
    Deno.unrefTimer(timer);
  }

  function run(server: string): Promise<void> {
    const job = jobOf(server);
    if (isClosed) return Promise.resolve();
    if (job.running === null) {
      job.running = listNow(server, job).finally(() => job.running = null);
      return job.running;
    }
    // The running listing may have begun before the change that this call is about.
    job.queued ??= job.running.then(() => {
      job.queued = null;
      return run(server);
    });
    return job.queued;
  }

  return {
    run,
    schedule(server, lastListedAt) {
      const due = lastListedAt === null ? 0 : lastListedAt + deps.everyMs - deps.now();
      wait(server, jobOf(server), Math.max(0, due));
    },
    async close() {
      isClosed = true;
      for (const job of jobs.values()) clearTimeout(job.timer);
      for (const release of waits) release();
      await Promise.all([...jobs.values()].flatMap(({ running, queued }) => [running, queued]));
    },
  };
}
