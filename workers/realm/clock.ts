import type { Realm } from "./realm.ts";

/**
 * Clock and randomness of the program.
 *
 * With a seed both are functions of the seed and of what the program does: a replay sees the same
 * times and numbers. The seeded clock starts at the seed's time, goes one millisecond further with each
 * reading (so that a loop which waits for the clock ends) and jumps to a timer's due time when it fires.
 */
export function installClock(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  const RealDate = p.Date;
  let clockMs = 0;
  let state: [number, number, number, number] | null = null;

  const seeded = () => realm.settings.seed !== null;
  realm.nowMs = () => (seeded() ? clockMs++ : p.now());
  realm.dueMs = (ms) => (seeded() ? clockMs + ms : 0);
  realm.advanceTo = (dueMs) => {
    if (seeded() && dueMs > clockMs) clockMs = dueMs;
  };

  realm.random = (bytes) => {
    if (state === null) return host.randomBytes(bytes);
    let text = "";
    for (let index = 0; index < bytes; index++) text += p.fromCharCode(nextWord() & 255);
    return text;
  };

  /** Small fast counter generator (sfc32): not secret, only repeatable. */
  function nextWord(): number {
    const s = state!;
    const sum = (s[0] + s[1] + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = (s[2] << 21) | (s[2] >>> 11);
    s[2] = (s[2] + sum) | 0;
    return sum >>> 0;
  }

  realm.seedClock = (epochMs, random) => {
    clockMs = epochMs;
    const words: [number, number, number, number] = [
      1779033703,
      3144134277,
      1013904242,
      2773480762,
    ];
    for (let index = 0; index < random.length; index++) {
      const code = p.charCodeAt(random, index);
      words[0] = words[1] ^ p.imul(words[0] ^ code, 597399067);
      words[1] = words[2] ^ p.imul(words[1] ^ code, 2869860233);
      words[2] = words[3] ^ p.imul(words[2] ^ code, 951274213);
      words[3] = words[0] ^ p.imul(words[3] ^ code, 2716044179);
    }
    state = words;
    for (let index = 0; index < 16; index++) nextWord();
    p.defineProperty(realm.global.Math as object, "random", {
      __proto__: null,
      value: () => nextWord() / 4_294_967_296,
      writable: true,
      configurable: true,
      enumerable: false,
    } as PropertyDescriptor);
    const SeededDate = new p.Proxy(RealDate, {
      __proto__: null,
      apply: () => p.apply(RealDate.prototype.toString, new RealDate(realm.nowMs()), []),
      construct: (_target: object, args: unknown[], newTarget: object) =>
        p.construct(
          RealDate,
          args.length === 0 ? [realm.nowMs()] : args,
          newTarget as never,
        ) as object,
    } as ProxyHandler<DateConstructor>);
    const hidden = (owner: object, key: string, value: unknown) =>
      p.defineProperty(owner, key, {
        __proto__: null,
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      } as PropertyDescriptor);
    hidden(RealDate, "now", realm.nowMs);
    hidden(RealDate.prototype, "constructor", SeededDate);
    realm.define("Date", SeededDate);
  };

  const performance = p.create(null);
  const startMs = host.monotonicMs();
  performance.now = p.freeze(
    () => (seeded() ? clockMs++ - realm.settings.seed!.epochMs : host.monotonicMs() - startMs),
  );
  performance.timeOrigin = 0;
  realm.define("performance", p.freeze(performance));
}
