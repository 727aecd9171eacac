import type { Realm } from "./realm.ts";

/** Throws a helpful error when a program uses the promise of a call as if it were the result. */
export function installPromises(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const titles = new p.WeakMap<object, string>();
  // An object between the promise and Promise.prototype, so that `instanceof Promise` stays true.
  const guard = new p.Proxy(p.create(p.Promise.prototype), {
    __proto__: null,
    get(target: object, key: PropertyKey, receiver: object) {
      if (typeof key === "symbol" || p.has(target, key)) return p.get(target, key, receiver);
      const title = p.weakGet(titles, receiver) ?? "the call";
      throw realm.failure(
        "TypeError",
        "Cannot read ." + key + " of " + title + "(…): it is a promise that was not awaited",
        { hint: "Write (await tools." + title + "(…))." + key + ".", code: null, call: null },
      );
    },
  } as ProxyHandler<object>);

  realm.guardPromise = (promise, title) => {
    p.setPrototypeOf(promise, guard);
    p.weakSet(titles, promise, title);
  };
  realm.isPromise = (value) => value instanceof p.Promise;
}
