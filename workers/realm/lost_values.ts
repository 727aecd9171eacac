import type { Realm } from "./realm.ts";

/**
 * Finds values that JSON changes to `null` (`NaN`, infinities, invalid dates), and members that it
 * leaves out of an object (functions and symbols).
 */
export function installLostValues(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const PLACES_MAX = 3;
  const VISITS_MAX = 200_000;
  const typedArray = p.getPrototypeOf(p.Uint8Array) as unknown as ErrorConstructor;

  realm.droppedMember = (value, name) => {
    if (typeof value !== "object" || value === null) return "";
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") return "";
    const keys = p.ownKeys(value);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      if (typeof key === "symbol") continue;
      const descriptor = p.getOwnPropertyDescriptor(value, key);
      if (descriptor === undefined || descriptor.enumerable !== true) continue;
      const type = typeof descriptor.value;
      if (type === "function" || type === "symbol") {
        return name + "." + p.slice(key, 0, 100) + " is a " + type;
      }
    }
    return "";
  };

  realm.lostValues = (root, json, name, lists) => {
    // Most values have no null in their JSON.
    if (json === undefined || !p.includes(json, "null")) return "";
    realm.needStack();
    const places: string[] = [];
    let visits = 0;

    const walk = (value: unknown, path: string): void => {
      if (places.length >= PLACES_MAX || ++visits > VISITS_MAX) return;
      if (typeof value === "number") {
        if (value - value !== 0) p.push(places, path + " is " + value);
      } else if (typeof value === "object" && value !== null) walkObject(value, path);
    };
    const walkList = (list: ArrayLike<unknown>, path: string): void => {
      let isEmpty = list.length > 0;
      for (let index = 0; index < list.length && places.length < PLACES_MAX; index++) {
        const item = list[index];
        if (item !== undefined) isEmpty = false;
        if (typeof item === "number" || typeof item === "object") {
          walk(item, path + "[" + index + "]");
        } else if (typeof item === "function" || typeof item === "symbol") {
          p.push(places, path + "[" + index + "] is a " + typeof item);
        }
      }
      if (isEmpty && lists) p.push(places, path + " is a list of undefined");
    };
    const walkObject = (value: object, path: string): void => {
      if (p.isArray(value)) return walkList(value, path);
      if (value instanceof p.Date) {
        const ms = p.getTime(value);
        if (ms !== ms) p.push(places, path + " is an invalid date");
        return;
      }
      const values = realm.readValues(value);
      if (values !== undefined) return walkList(values, path);
      if (value instanceof typedArray) {
        return walkList(value as unknown as ArrayLike<unknown>, path);
      }
      if (value instanceof p.Map) {
        return p.mapForEach(value, (item, key) => walk(item, path + "." + realm.describe(key)));
      }
      if (value instanceof p.Set) {
        let index = 0;
        return p.setForEach(value, (item) => walk(item, path + "[" + index++ + "]"));
      }
      if (typeof (value as { toJSON?: unknown }).toJSON === "function") return;
      const keys = p.ownKeys(value);
      for (let index = 0; index < keys.length && places.length < PLACES_MAX; index++) {
        const key = keys[index]!;
        if (typeof key !== "symbol") {
          walk((value as Record<string, unknown>)[key], path + "." + p.slice(key, 0, 100));
        }
      }
    };
    try {
      walk(root, name);
    } catch {
      // A getter of the program threw, or the stack ended: report the places found so far.
    }
    return places.length === 0
      ? ""
      : p.join(places, ", ") + (places.length >= PLACES_MAX ? " and perhaps more" : "");
  };
}
