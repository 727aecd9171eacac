import type { Realm } from "./realm.ts";

/**
 * JSON forms of the values of a program, the same for results, arguments and `JSON.stringify`:
 *
 * | value | form |
 * | --- | --- |
 * | `Map` | object if every key is a string, else array of pairs |
 * | `Set` | array |
 * | `Date` | RFC 3339 string; null if invalid |
 * | `BigInt` | decimal string |
 * | `Error` | `{name, message}` with `code`, `cause`, `errors` if present |
 * | `Uint8Array`, `ArrayBuffer`, `DataView` | base64 string |
 * | other typed arrays | array of numbers |
 * | `RegExp` | source text |
 * | `undefined` | left out of objects, null in arrays, as JSON does |
 * | functions, symbols | the same; an error where one is an argument or stands in a list of arguments |
 * | `NaN`, infinities, an invalid date | null and a warning that names the place; in arguments an error |
 * | iterator, generator | array of what it gives; an async one in a result only, else an error |
 * | promise, cycle | an error that names the path |
 *
 * In arguments of tools bytes are `{"$toolgate:bytes": base64}`, so that the service can tell a file from
 * a text; if the tool does not take a file, the service replaces them by the base64 text.
 */
export function installJson(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const { push } = p;
  const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const typedArray = p.getPrototypeOf(p.Uint8Array.prototype) as object;
  const toBase64 = (p.Uint8Array.prototype as { toBase64?: () => string }).toBase64;

  const form: Realm["jsonForm"] = (owner, toJson) =>
    void p.defineProperty(owner, "toJSON", {
      __proto__: null,
      value: toJson,
      writable: true,
      configurable: true,
    } as PropertyDescriptor);
  realm.jsonForm = form;

  form(p.Map.prototype, function (this: unknown) {
    const map = this as Map<unknown, unknown>;
    const pairs: unknown[] = [];
    let named = true;
    p.mapForEach(map, (value, key) => {
      if (typeof key !== "string") named = false;
      push(pairs, [key, value]);
    });
    if (!named) return pairs;
    const object = p.create(null);
    for (let index = 0; index < pairs.length; index++) {
      const pair = pairs[index] as [string, unknown];
      object[pair[0]] = pair[1];
    }
    return object;
  });
  form(p.Set.prototype, function (this: unknown) {
    const values: unknown[] = [];
    p.setForEach(this as Set<unknown>, (value) => push(values, value));
    return values;
  });
  form(p.BigInt.prototype, function (this: unknown) {
    return "" + this;
  });
  form(p.RegExp.prototype, function (this: unknown) {
    return "" + this;
  });
  form(p.Error.prototype, function (this: unknown) {
    const error = this as Error & { code?: unknown; errors?: unknown };
    const object = p.create(null);
    object.name = error.name;
    object.message = error.message;
    if (error.code !== undefined) object.code = error.code;
    if (error.cause !== undefined) object.cause = error.cause;
    if (error.errors !== undefined) object.errors = error.errors;
    return object;
  });
  form(p.Promise.prototype, function () {
    throw realm.failure("TypeError", "A promise has no JSON form", {
      hint: "Put `await` before it, or `await Promise.all(…)` around an array of them.",
      code: null,
      call: null,
    });
  });
  form(typedArray, function (this: unknown) {
    const array = this as number[];
    const numbers: unknown[] = [];
    for (let index = 0; index < array.length; index++) push(numbers, array[index]);
    return numbers;
  });
  let isArguments = false;
  function bytesForm(bytes: Uint8Array): unknown {
    const text = base64(bytes);
    if (!isArguments) return text;
    const marked = p.create(null);
    marked["$toolgate:bytes"] = text;
    return marked;
  }
  form(p.Uint8Array.prototype, function (this: unknown) {
    return bytesForm(this as Uint8Array);
  });
  form(p.ArrayBuffer.prototype, function (this: unknown) {
    return bytesForm(new p.Uint8Array(this as ArrayBuffer));
  });
  form(p.DataView.prototype, function (this: unknown) {
    const view = this as DataView;
    return bytesForm(
      new p.Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength),
    );
  });

  function base64(bytes: Uint8Array): string {
    if (toBase64 !== undefined) return p.apply(toBase64, bytes, []) as string;
    let text = "";
    for (let index = 0; index < bytes.length; index += 3) {
      const left = bytes.length - index;
      const bits = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
      text += BASE64[bits >> 18]! + BASE64[(bits >> 12) & 63]! +
        (left > 1 ? BASE64[(bits >> 6) & 63]! : "=") + (left > 2 ? BASE64[bits & 63]! : "=");
    }
    return text;
  }

  realm.toJson = (value, name) => {
    let json: string | undefined;
    let thrown: unknown;
    isArguments = name === "args";
    try {
      json = p.stringify(value);
    } catch (error) {
      thrown = error === undefined ? "undefined" : error;
    }
    isArguments = false;
    if (thrown === undefined) return json;
    const problem = findProblem(value, name);
    if (problem === null) throw thrown;
    throw problem;
  };

  /** Searches a value without a JSON form for the cause; null if it finds none. */
  function findProblem(root: unknown, name: string): Error | null {
    const nestingMax = realm.settings.realm.nestingMax;
    const ancestors: unknown[] = [];
    const paths: string[] = [];
    let visits = 0;
    const walk = (value: unknown, path: string): Error | null => {
      if (typeof value !== "object" || value === null || ++visits > 100_000) return null;
      for (let index = 0; index < ancestors.length; index++) {
        if (ancestors[index] === value) {
          return formError(path + " refers back to " + paths[index], "");
        }
      }
      if (realm.isPromise(value)) {
        return formError(path + " is a promise", "Put `await` before it.");
      }
      if (realm.isAsyncIterator(value)) {
        return formError(path + " is an async iterator", "Collect it: await Array.fromAsync(…).");
      }
      if (ancestors.length >= nestingMax) {
        return realm.failure(
          "RangeError",
          path + " is nested deeper than " + nestingMax + " levels",
          {
            hint: "Return a flatter value.",
            code: "ERR_SANDBOX_NESTING",
            call: null,
          },
        );
      }
      push(ancestors, value);
      push(paths, path);
      const keys = p.ownKeys(value);
      for (let index = 0; index < keys.length; index++) {
        const key = keys[index]!;
        if (typeof key === "symbol") continue;
        const descriptor = p.getOwnPropertyDescriptor(value, key);
        if (descriptor === undefined || descriptor.enumerable !== true) continue;
        const next = p.isArray(value) ? path + "[" + key + "]" : path + "." + key;
        const problem = walk((value as Record<string, unknown>)[key], next);
        if (problem !== null) return problem;
      }
      ancestors.length -= 1;
      paths.length -= 1;
      return null;
    };
    try {
      return walk(root, name);
    } catch {
      return null;
    }
  }

  function formError(text: string, hint: string): Error {
    return realm.failure("TypeError", "No JSON form: " + text, {
      hint: hint === "" ? "Return plain data: objects, arrays, strings, numbers." : hint,
      code: null,
      call: null,
    });
  }

  realm.describe = (value) => {
    realm.needStack();
    try {
      switch (typeof value) {
        case "string":
          return value;
        case "bigint":
          return value + "n";
        case "symbol":
          return p.String(value);
        case "function":
          return "[function " + (value as { name?: unknown }).name + "]";
        case "object":
          if (value === null) return "null";
          if (realm.isPromise(value)) return "[promise, not awaited]";
          if (value instanceof p.Error) {
            return value.name + ": " + value.message + realm.programFrames(value);
          }
          realm.isDescribing = true;
          return p.stringify(value) ?? "[object]";
        default:
          return "" + value;
      }
    } catch {
      return "[value without a JSON form]";
    } finally {
      realm.isDescribing = false;
    }
  };
}
