import type { Realm } from "./realm.ts";

/** Timers and microtasks of the program, bounded in number. */
export function installTimers(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  interface Timer {
    readonly run: (...args: unknown[]) => unknown;
    readonly args: unknown[];
    readonly everyMs: number | null;
    dueMs: number;
  }
  const timers = new p.Map<number, Timer>();
  let lastId = 0;

  realm.pendingTimers = () => p.mapSize(timers);

  function start(repeat: boolean, run: unknown, delay: unknown, args: unknown[]): number {
    if (typeof run !== "function") {
      throw realm.failure("TypeError", "A timer needs a function", {
        hint: "Pass a function, not text: setTimeout(() => …, ms).",
        code: null,
        call: null,
      });
    }
    if (p.mapSize(timers) >= realm.settings.realm.timersMax) {
      realm.terminate(
        "ERR_SANDBOX_TIMERS",
        "The program has " + realm.settings.realm.timersMax + " timers pending, which is the limit",
        "Wait for timers with await before starting more.",
      );
    }
    let ms = +(delay as number);
    if (!(ms > 0)) ms = 0;
    if (ms > 2_147_483_647) ms = 2_147_483_647;
    const id = ++lastId;
    const everyMs = repeat ? (ms < 1 ? 1 : ms) : null;
    const timer = { run: run as Timer["run"], args, everyMs, dueMs: realm.dueMs(ms) };
    host.startTimer(id, ms);
    p.mapSet(timers, id, timer);
    return id;
  }

  realm.fireTimer = (id) => {
    const timer = p.mapGet(timers, id);
    if (timer === undefined) return;
    realm.advanceTo(timer.dueMs);
    if (timer.everyMs === null) p.mapDelete(timers, id);
    else {
      timer.dueMs = realm.dueMs(timer.everyMs);
      host.startTimer(id, timer.everyMs);
    }
    p.apply(timer.run, undefined, timer.args);
  };

  const stop = (id: unknown) => {
    if (typeof id !== "number" || !p.mapHas(timers, id)) return;
    realm.needStack();
    p.mapDelete(timers, id);
    host.stopTimer(id);
  };
  realm.define(
    "setTimeout",
    (run: unknown, delay?: unknown, ...args: unknown[]) => start(false, run, delay, args),
  );
  realm.define(
    "setInterval",
    (run: unknown, delay?: unknown, ...args: unknown[]) => start(true, run, delay, args),
  );
  realm.define("clearTimeout", stop);
  realm.define("clearInterval", stop);
  const resolved = p.then(new p.Promise<void>((resolve) => resolve()), undefined);
  realm.define("queueMicrotask", (run: unknown) => {
    if (typeof run !== "function") throw new p.TypeError("queueMicrotask needs a function");
    p.then(resolved, () => void run());
  });
  realm.define(
    "sleep",
    (ms: unknown) => new p.Promise<void>((resolve) => void start(false, resolve, ms, [])),
  );
}
