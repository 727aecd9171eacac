/**
 * Removes every global that is not part of ECMAScript or needed by the runtime's message loop.
 *
 * The Worker evaluates the source text, so this function refers only to globals.
 */
export function scrubGlobals(): void {
  "use strict";
  const keep = new Set<PropertyKey>(
    ("Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol " +
      "Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError " +
      "TypeError URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array " +
      "Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray " +
      "BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet Proxy Reflect Iterator " +
      "decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN constructor " +
      "dispatchEvent pollForMessages hasMessageEventListener onmessage onerror reportError")
      .split(" "),
  );
  let owner: object | null = globalThis;
  while (owner !== null && owner !== Object.prototype) {
    for (const key of Reflect.ownKeys(owner)) {
      if (typeof key === "symbol" || keep.has(key)) continue;
      if (!Reflect.deleteProperty(owner, key)) {
        Reflect.defineProperty(owner, key, { value: undefined, writable: false });
      }
    }
    owner = Reflect.getPrototypeOf(owner);
  }
}
