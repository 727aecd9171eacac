import type { Realm } from "./realm.ts";

/**
 * Clock and randomness of the program.
 *
 * With a seed both depend only on the seed and on the program's actions: a replay sees the same
 * times and numbers. The seeded clock starts at the seed's time. Each reading moves it one
 * millisecond, so a loop that waits for the clock ends. A firing timer moves it to the timer's due
 * time, and the answer of a call to the time in that answer.
 */
export function installClock(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  const RealDate = p.Date;
  interface TemporalLike {
    readonly Now: object;
    readonly Instant: {
      fromEpochMilliseconds(ms: number): {
        toZonedDateTimeISO(zone: unknown): {
          toPlainDateTime(): unknown;
          toPlainDate(): unknown;
          toPlainTime(): unknown;
        };
      };
    };
  }
  let clockMs = 0;
  let state: [number, number, number, number] | null = null;

  const seeded = () => realm.settings.seed !== null;
  realm.nowMs = () => (seeded() ? clockMs++ : p.now());
  realm.dueMs = (ms) => (seeded() ? clockMs + ms : 0);
  realm.advanceTo = (dueMs) => {
    if (seeded() && dueMs > clockMs) clockMs = dueMs;
  };

  /** Words 4 to 11 are the key, 12 is the block's number. @see RFC 8439, section 2.3 */
  const input = [1634760805, 857760878, 2036477234, 1797285236, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  realm.random = (bytes) => {
    if (state === null) return host.randomBytes(bytes);
    let text = "";
    while (text.length < bytes) text += nextBlock();
    return p.slice(text, 0, bytes);
  };

  /** 64 bytes of ChaCha20: some of the bytes tell nothing about the others. */
  function nextBlock(): string {
    const x = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let index = 0; index < 16; index++) x[index] = input[index]!;
    for (let round = 0; round < 10; round++) {
      for (let column = 0; column < 4; column++) {
        mix(x, column, column + 4, column + 8, column + 12);
      }
      for (let row = 0; row < 4; row++) {
        mix(x, row, 4 + ((row + 1) & 3), 8 + ((row + 2) & 3), 12 + ((row + 3) & 3));
      }
    }
    let text = "";
    for (let index = 0; index < 16; index++) {
      const word = (x[index]! + input[index]!) | 0;
      text += p.fromCharCode(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
    }
    input[12] = (input[12]! + 1) | 0;
    return text;
  }

  function mix(x: number[], a: number, b: number, c: number, d: number): void {
    x[a] = (x[a]! + x[b]!) | 0;
    x[d] = rotate(x[d]! ^ x[a]!, 16);
    x[c] = (x[c]! + x[d]!) | 0;
    x[b] = rotate(x[b]! ^ x[c]!, 12);
    x[a] = (x[a]! + x[b]!) | 0;
    x[d] = rotate(x[d]! ^ x[a]!, 8);
    x[c] = (x[c]! + x[d]!) | 0;
    x[b] = rotate(x[b]! ^ x[c]!, 7);
  }

  function rotate(word: number, bits: number): number {
    return (word << bits) | (word >>> (32 - bits));
  }

  /** Small Fast Counter generator (sfc32) for Math.random: repeatable, not secret. */
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
      const key = 4 + (index & 7);
      input[key] = p.imul(input[key]!, 16777619) ^ code;
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
    // Not a Proxy, which would make programs with many dates several times slower.
    function SeededDate(first?: unknown, ..._others: unknown[]): unknown {
      const { length } = arguments;
      if (new.target === undefined) {
        return p.apply(RealDate.prototype.toString, new RealDate(realm.nowMs()), []);
      }
      if (length === 1 && new.target === SeededDate) return new RealDate(first as number);
      return p.construct(
        RealDate,
        length === 0 ? [realm.nowMs()] : arguments as unknown as unknown[],
        new.target as never,
      );
    }
    const hidden = (owner: object, key: string, value: unknown) =>
      p.defineProperty(owner, key, {
        __proto__: null,
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      } as PropertyDescriptor);
    const fixed = (key: string, value: unknown) =>
      p.defineProperty(SeededDate, key, { __proto__: null, value } as PropertyDescriptor);
    hidden(SeededDate, "now", realm.nowMs);
    hidden(SeededDate, "parse", RealDate.parse);
    hidden(SeededDate, "UTC", RealDate.UTC);
    fixed("name", "Date");
    fixed("length", 7);
    p.defineProperty(SeededDate, "prototype", {
      __proto__: null,
      value: RealDate.prototype,
      writable: false,
    } as PropertyDescriptor);
    hidden(RealDate, "now", realm.nowMs);
    const { Temporal } = realm.global as { Temporal?: TemporalLike };
    if (Temporal !== undefined) {
      const instant = () => Temporal.Instant.fromEpochMilliseconds(realm.nowMs());
      const zoned = (zone: unknown = "UTC") => instant().toZonedDateTimeISO(zone);
      hidden(Temporal.Now, "instant", instant);
      hidden(Temporal.Now, "zonedDateTimeISO", zoned);
      hidden(Temporal.Now, "plainDateTimeISO", (zone: unknown) => zoned(zone).toPlainDateTime());
      hidden(Temporal.Now, "plainDateISO", (zone: unknown) => zoned(zone).toPlainDate());
      hidden(Temporal.Now, "plainTimeISO", (zone: unknown) => zoned(zone).toPlainTime());
    }
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
