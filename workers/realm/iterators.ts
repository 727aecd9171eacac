import type { Realm } from "./realm.ts";

/**
 * JSON forms of iterators and generators: an array of all their values, read to the end.
 *
 * The values are remembered, so that one iterator has the same form in every place. An async
 * iterator can be read only where the realm can wait: in the result of the program.
 */
export function installIterators(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const VALUES_MAX = 1_000_000;
  const read = new p.WeakMap<object, unknown[]>();
  interface Step {
    readonly done?: unknown;
    readonly value?: unknown;
  }
  const above = (value: object) => p.getPrototypeOf(p.getPrototypeOf(value) as object) as object;
  const prototype = above((function* () {}).prototype);
  const asyncPrototype = above((async function* () {}).prototype);
  function AsyncIterator(): void {}
  AsyncIterator.prototype = asyncPrototype;

  function take(values: unknown[], step: Step): boolean {
    if (typeof step !== "object" || step === null) {
      throw new p.TypeError("The next() of an iterator gave no object");
    }
    if (step.done) return false;
    if (values.length >= VALUES_MAX) {
      throw realm.failure("RangeError", "An iterator gives more than " + VALUES_MAX + " values", {
        hint: "Take what is needed, for example with .take(100).toArray().",
        code: null,
        call: null,
      });
    }
    p.push(values, step.value);
    return true;
  }

  function nextOf(iterator: object): ((this: object) => unknown) | null {
    const next = (iterator as { next?: unknown }).next;
    return typeof next === "function" ? next as () => unknown : null;
  }

  realm.jsonForm(prototype, function (this: unknown) {
    const iterator = this as object;
    if (realm.isDescribing) return "[iterator, not read]";
    const known = p.weakGet(read, iterator);
    if (known !== undefined) return known;
    const next = nextOf(iterator);
    if (next === null) return iterator;
    // If the stack ended during the reading, the values already read would be lost.
    realm.needStack();
    const values: unknown[] = [];
    while (take(values, p.apply(next, iterator, []) as Step));
    p.weakSet(read, iterator, values);
    return values;
  });

  realm.jsonForm(asyncPrototype, function (this: unknown) {
    const iterator = this as object;
    if (realm.isDescribing) return "[async iterator, not read]";
    const known = p.weakGet(read, iterator);
    if (known !== undefined) return known;
    if (realm.unread !== null) {
      p.push(realm.unread, iterator);
      return null;
    }
    throw realm.failure("TypeError", "An async iterator has no JSON form", {
      hint: "Collect it first: await Array.fromAsync(…).",
      code: null,
      call: null,
    });
  });

  realm.isAsyncIterator = (value) =>
    value instanceof (AsyncIterator as unknown as ErrorConstructor);
  realm.readValues = (iterator) => p.weakGet(read, iterator);

  realm.readAsync = async (iterators) => {
    for (let index = 0; index < iterators.length; index++) {
      const iterator = iterators[index]!;
      const next = nextOf(iterator);
      const values: unknown[] = [];
      while (next !== null && take(values, await p.apply(next, iterator, []) as Step));
      p.weakSet(read, iterator, values);
    }
  };
}
