import type { Realm } from "./realm.ts";

/** Takes away what a program must not have; the service adds a hint to the ReferenceError that follows. */
export function installGlobals(realm: Realm): void {
  "use strict";
  const { p, global } = realm;

  realm.define = (name, value) =>
    void p.defineProperty(global, name, {
      __proto__: null,
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    } as PropertyDescriptor);

  realm.defineLazy = (name, part) =>
    void p.defineProperty(global, name, {
      __proto__: null,
      get() {
        if (!realm.host.load(part)) throw new p.Error("Cannot load " + name);
        // The part has replaced this property by now.
        return p.getOwnPropertyDescriptor(global, name)!.value;
      },
      set(value: unknown) {
        realm.define(name, value);
      },
      configurable: true,
      enumerable: false,
    } as PropertyDescriptor);

  // An object of the engine lies between the global object and Object.prototype; nothing needs it.
  p.setPrototypeOf(global, p.Object.prototype);
  // Native surface, shared memory, and what would let a program observe garbage collection.
  const removed = [
    "WebAssembly",
    "SharedArrayBuffer",
    "Atomics",
    "FinalizationRegistry",
    "WeakRef",
    "ShadowRealm",
    "console",
    "eval",
    "gc",
    "escape",
    "unescape",
  ];
  for (let index = 0; index < removed.length; index++) delete global[removed[index]!];
}
