import { GateError } from "../../src/model/errors.ts";
import type { Store } from "../../src/store/store.ts";

/** What a store does wrong, from its n-th operation on, counted from 1 since it was armed. */
export type StoreFault =
  /** Fails these operations, before they do anything. */
  | { readonly kind: "fails"; readonly at: number; readonly count: number }
  /** Fails one operation after it was done: durable, but nobody is told. */
  | { readonly kind: "fails late"; readonly at: number }
  /** Does not go on with one operation until it is released; the others work. */
  | { readonly kind: "hangs"; readonly at: number }
  /** Does not go on with anything until it is released. */
  | { readonly kind: "hangs whole"; readonly at: number };

export interface FaultyStore {
  readonly store: Store;
  /** Begins to count. */
  arm(fault: StoreFault): void;
  /** Operations since it was armed. */
  count(): number;
  /** Resolves when the fault happens. */
  happened(): Promise<void>;
  /** Ends the fault, and lets go on what hangs. */
  release(): void;
}

/** A store that does one thing wrong, over a real one. */
export function makeFaulty(real: Store): FaultyStore {
  let fault: StoreFault | null = null;
  let count = 0;
  let happening = Promise.withResolvers<void>();
  let hanging = Promise.withResolvers<void>();

  function failure(): GateError {
    return new GateError("ERR_STORE", "Cannot write the store: disk I/O error", {
      hint: "Look at the disk",
    });
  }

  async function pass<T>(run: () => Promise<T>): Promise<T> {
    const n = ++count;
    const now = fault;
    if (now === null || n < now.at) return await run();
    if (now.kind === "fails" && n < now.at + now.count) {
      happening.resolve();
      throw failure();
    }
    if (now.kind === "fails late" && n === now.at) {
      await run();
      happening.resolve();
      throw failure();
    }
    if (now.kind === "hangs whole" || (now.kind === "hangs" && n === now.at)) {
      happening.resolve();
      await hanging.promise;
    }
    return await run();
  }

  return {
    store: {
      kind: real.kind,
      get: (key) => pass(() => real.get(key)),
      list: (prefix, options) => pass(() => real.list(prefix, options)),
      put: (changes) => pass(() => real.put(changes)),
      add: (key, by, options) => pass(() => real.add(key, by, options)),
      append: (entries, beside) => pass(() => real.append(entries, beside)),
      scan: (query) => pass(() => real.scan(query)),
      head: (log) => pass(() => real.head(log)),
      logs: () => pass(() => real.logs()),
      trim: (beforeTs, options) => pass(() => real.trim(beforeTs, options)),
      check: (log) => pass(() => real.check(log)),
      notify: (topic, message) => pass(() => real.notify(topic, message)),
      subscribe: (topic, listener) => pass(() => real.subscribe(topic, listener)),
      fault: () => real.fault(),
      close: () => real.close(),
    },
    arm(next) {
      fault = next;
      count = 0;
      happening = Promise.withResolvers();
      hanging = Promise.withResolvers();
    },
    count: () => count,
    happened: () => happening.promise,
    release() {
      fault = null;
      hanging.resolve();
    },
  };
}
