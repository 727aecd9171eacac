import type { Realm } from "./realm.ts";

/** `crypto.randomUUID`, `crypto.getRandomValues` and `crypto.subtle.digest`, made at their first use. */
export function installCrypto(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const startDigest = realm.host.digest;
  const DIGEST_BYTES_MAX = 33_554_432;

  function viewOf(data: unknown): Uint8Array {
    if (ArrayBuffer.isView(data)) {
      return new p.Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    }
    if (data instanceof p.ArrayBuffer) return new p.Uint8Array(data);
    throw new p.TypeError("Expected an ArrayBuffer or a typed array");
  }

  function toText(bytes: Uint8Array): string {
    let text = "";
    for (let at = 0; at < bytes.length; at += 4_096) {
      text += p.apply(p.fromCharCode, undefined, bytes.subarray(at, at + 4_096) as never);
    }
    return text;
  }

  const subtle = p.create(null);
  subtle.digest = (algorithm: unknown, data: unknown): Promise<ArrayBuffer> => {
    const name = typeof algorithm === "object" && algorithm !== null
      ? "" + (algorithm as { name?: unknown }).name
      : "" + algorithm;
    return new p.Promise((resolve, reject) => {
      const bytes = viewOf(data);
      if (bytes.length > DIGEST_BYTES_MAX) {
        throw new p.RangeError("The data is too large to digest");
      }
      const text = toText(bytes);
      realm.wait((id) => startDigest(id, name, text), (ok, text) => {
        if (!ok) return reject(new p.TypeError("Unknown digest algorithm " + p.slice(name, 0, 50)));
        const hash = new p.Uint8Array(text.length);
        for (let at = 0; at < text.length; at++) hash[at] = p.charCodeAt(text, at);
        resolve(hash.buffer);
      });
    });
  };

  const crypto = p.create(null);
  crypto.subtle = p.freeze(subtle);
  crypto.getRandomValues = <T extends ArrayBufferView>(target: T): T => {
    const bytes = viewOf(target);
    if (bytes.length > 65_536) {
      throw new p.RangeError("getRandomValues() gives at most 65536 bytes");
    }
    realm.needStack();
    const text = realm.random(bytes.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = p.charCodeAt(text, at);
    return target;
  };
  crypto.randomUUID = (): string => {
    const text = realm.random(16);
    let hex = "";
    for (let at = 0; at < 16; at++) {
      let byte = p.charCodeAt(text, at);
      if (at === 6) byte = (byte & 0x0f) | 0x40;
      if (at === 8) byte = (byte & 0x3f) | 0x80;
      hex += (at === 4 || at === 6 || at === 8 || at === 10 ? "-" : "") +
        "0123456789abcdef"[byte >> 4]! + "0123456789abcdef"[byte & 15]!;
    }
    return hex;
  };
  realm.define("crypto", p.freeze(crypto));
}
