import type { Realm } from "./realm.ts";

/** Removes globals that a program must not have; the service adds a hint to the ReferenceError. */
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
        // The part has just replaced this property.
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
  // Native surface, shared memory, and objects through which a program could observe garbage
  // collection.
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
  // To make stacks, the runtime looks up the global `Error` and passes objects of the Worker to it.
  // An engine or runtime could look up the others in the same way.
  const fixed = [
    "Error",
    "AggregateError",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SuppressedError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "Promise",
    "Symbol",
    "globalThis",
  ];
  for (let index = 0; index < fixed.length; index++) {
    const value = global[fixed[index]!];
    if (value === undefined) continue;
    p.defineProperty(global, fixed[index]!, {
      __proto__: null,
      value,
      writable: false,
      configurable: false,
    } as PropertyDescriptor);
  }
}
