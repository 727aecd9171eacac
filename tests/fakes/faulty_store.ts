import { GateError } from "../../src/model/errors.ts";
import type { Store } from "../../src/store/store.ts";

/** A fault of a store. Operations count from 1 after `arm`. */
export type StoreFault =
  /** Fails these operations, before they do anything. */
  | { readonly kind: "fails"; readonly at: number; readonly count: number }
  /** Fails one operation after it is durable: the caller sees only the failure. */
  | { readonly kind: "fails late"; readonly at: number }
  /** One operation hangs until `release`; the others work. */
  | { readonly kind: "hangs"; readonly at: number }
  /** From this operation on, all operations hang until `release`. */
  | { readonly kind: "hangs whole"; readonly at: number };

export interface FaultyStore {
  readonly store: Store;
  /** Sets the fault and starts the count. */
  arm(fault: StoreFault): void;
  /** Operations since `arm`. */
  count(): number;
  /** Resolves when the fault happens. */
  happened(): Promise<void>;
  /** Ends the fault; operations that hang continue. */
  release(): void;
}

/** Wraps a real store with one fault. */
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
