/**
 * Ends the checker's own process when a check takes too long or too much memory.
 *
 * The service does the same from outside. The watchdog is needed when the service is gone: type
 * checking can run for minutes, and no other process would stop it. It is a Worker, so that it also
 * runs during a check; its source is a text, because a bundle is one file.
 */
export interface Watchdog {
  started(budgetMs: number): void;
  ended(): void;
  close(): void;
}

const RSS_BYTES_MAX = 1_200 * 1_048_576;
const GRACE_MS = 1_000;
const LOOK_EVERY_MS = 100;

const SOURCE = `
let timer;
const end = () => Deno.kill(Deno.pid, "SIGKILL");
self.onmessage = ({ data: budgetMs }) => {
  clearInterval(timer);
  if (budgetMs === 0) return;
  const start = performance.now();
  timer = setInterval(() => {
    const isLate = performance.now() - start > budgetMs;
    if (isLate || Deno.memoryUsage().rss > ${RSS_BYTES_MAX}) end();
  }, ${LOOK_EVERY_MS});
};`;

export function startWatchdog(): Watchdog {
  const worker = new Worker(`data:application/javascript,${encodeURIComponent(SOURCE)}`, {
    type: "module",
  });
  return {
    started: (budgetMs) => worker.postMessage(budgetMs + GRACE_MS),
    ended: () => worker.postMessage(0),
    close: () => worker.terminate(),
  };
}
