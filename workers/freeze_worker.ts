import type { Primordials } from "./realm/realm.ts";

/**
 * Freezes everything that a program could reach from an object of the Worker: the Worker's
 * ECMAScript intrinsics, its global object, and the listeners that receive its messages.
 *
 * At level `realm` a Worker serves one program after another: a change by one program would affect
 * the next. The Worker evaluates this last. Objects that the runtime sets up later cannot be
 * reached from these.
 */
export function freezeWorker(p: Primordials): void {
  "use strict";
  const scope = globalThis as unknown as Record<PropertyKey, unknown>;
  const seen = new p.Map<object, true>();
  const queue: unknown[] = [
    // Objects of the language that no global names.
    function* () {},
    async function () {},
    async function* () {},
    (function* () {})(),
    (async function* () {})(),
    [][Symbol.iterator](),
    new p.Map().entries(),
    new p.Set().entries(),
    ""[Symbol.iterator](),
    "".matchAll(/x/g),
    Iterator.from({ next: () => ({ done: true, value: undefined }) }),
    [].values().map((value) => value),
  ];
  function add(value: unknown): void {
    if (typeof value !== "function" && (typeof value !== "object" || value === null)) return;
    if (value === scope || p.mapHas(seen, value)) return;
    p.mapSet(seen, value, true);
    queue[queue.length] = value;
  }

  const names = p.ownKeys(scope);
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    // Nothing uses these, and a listener set here would see the messages of the next program.
    if (name === "onmessage" || name === "onerror") {
      p.defineProperty(scope, name, { __proto__: null, value: null } as PropertyDescriptor);
    } else add(scope[name]);
  }
  for (let owner = p.getPrototypeOf(scope); owner !== null; owner = p.getPrototypeOf(owner)) {
    add(owner);
  }
  for (let index = 0; index < queue.length; index++) {
    const value = queue[index] as object;
    const keys = p.ownKeys(value);
    p.freeze(value);
    add(p.getPrototypeOf(value));
    for (let at = 0; at < keys.length; at++) {
      const found = p.getOwnPropertyDescriptor(value, keys[at]!)!;
      add(found.value);
      add(found.get);
      add(found.set);
    }
  }
  p.freeze(scope);
}
