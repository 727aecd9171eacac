import type { Realm } from "./realm.ts";

/** `structuredClone`, made at its first use. @see HTML, section 2.7 */
export function installClone(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const NESTING_MAX = 2_000;

  const errorTypes: { readonly [name: string]: ErrorConstructor | undefined } = {
    __proto__: null,
    TypeError,
    RangeError,
    SyntaxError,
    ReferenceError,
    EvalError,
    URIError,
  } as never;

  function refuse(what: string): never {
    throw realm.failure("TypeError", what + " cannot be cloned", {
      hint: "Clone plain data: objects, arrays, Map, Set, Date, typed arrays.",
      code: null,
      call: null,
    });
  }

  function structuredClone(root: unknown): unknown {
    const seen = new p.Map<object, unknown>();

    function copy(value: unknown, depth: number): unknown {
      if (typeof value === "function") refuse("A function");
      if (typeof value === "symbol") refuse("A symbol");
      if (typeof value !== "object" || value === null) return value;
      if (depth > NESTING_MAX) {
        throw new p.RangeError("The value is nested too deeply to be cloned");
      }
      const known = p.mapGet(seen, value);
      if (known !== undefined) return known;
      if (realm.isPromise(value)) refuse("A promise");
      if (value instanceof WeakMap || value instanceof WeakSet) refuse("A weak collection");
      const remember = <T>(clone: T): T => {
        p.mapSet(seen, value, clone);
        return clone;
      };
      if (p.isArray(value)) {
        const array: unknown[] = remember(new p.Array(value.length));
        for (const key of Object.keys(value)) {
          array[key as never] = copy(value[key as never], depth + 1) as never;
        }
        return array;
      }
      if (value instanceof p.Date) return remember(new p.Date(p.getTime(value)));
      if (value instanceof p.RegExp) return remember(new p.RegExp(value.source, value.flags));
      if (value instanceof p.Map) {
        const map = remember(new p.Map());
        p.mapForEach(value, (item, key) => {
          p.mapSet(map, copy(key, depth + 1), copy(item, depth + 1));
        });
        return map;
      }
      if (value instanceof p.Set) {
        const set = remember(new p.Set());
        p.setForEach(value, (item) => void set.add(copy(item, depth + 1)));
        return set;
      }
      if (value instanceof p.ArrayBuffer) return remember(value.slice(0));
      if (ArrayBuffer.isView(value)) {
        const buffer = copy(value.buffer, depth + 1) as ArrayBuffer;
        const length = value instanceof p.DataView
          ? value.byteLength
          : (value as Uint8Array).length;
        const View = value.constructor as new (
          buffer: ArrayBuffer,
          offset: number,
          length: number,
        ) => ArrayBufferView;
        return remember(new View(buffer, value.byteOffset, length));
      }
      if (value instanceof p.Error) {
        const Type = errorTypes[value.name] ?? p.Error;
        const error = remember(new Type(value.message));
        if (value.cause !== undefined) error.cause = copy(value.cause, depth + 1);
        return error;
      }
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return remember(p.Object(value.valueOf()));
      }
      const object = remember({}) as Record<string, unknown>;
      for (const key of Object.keys(value)) {
        p.defineProperty(object, key, {
          __proto__: null,
          value: copy((value as Record<string, unknown>)[key], depth + 1),
          writable: true,
          enumerable: true,
          configurable: true,
        } as PropertyDescriptor);
      }
      return object;
    }

    return copy(root, 0);
  }

  realm.define("structuredClone", structuredClone);
}
