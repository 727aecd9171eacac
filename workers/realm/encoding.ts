import type { Realm } from "./realm.ts";

/** `TextEncoder`, `TextDecoder`, `atob` and `btoa`, made at their first use. */
export function installEncoding(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  /** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
  function encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let written = 0;
    let read = 0;
    while (read < text.length) {
      let code = p.codePointAt(text, read)!;
      const units = code > 0xffff ? 2 : 1;
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + bytes > target.length) break;
      if (bytes === 1) target[written] = code;
      else {
        target[written] = (bytes === 2 ? 0xc0 : bytes === 3 ? 0xe0 : 0xf0) |
          (code >> (6 * (bytes - 1)));
        for (let left = bytes - 2; left >= 0; left--) {
          target[written + bytes - 1 - left] = 0x80 | ((code >> (6 * left)) & 0x3f);
        }
      }
      written += bytes;
      read += units;
    }
    return { read, written };
  }

  class TextEncoder {
    get encoding(): string {
      return "utf-8";
    }
    encode(text: unknown = ""): Uint8Array {
      const whole = "" + text;
      const target = new p.Uint8Array(whole.length * 3);
      return target.slice(0, encodeInto(whole, target).written);
    }
    encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
      const whole = "" + text;
      realm.needStack();
      return encodeInto(whole, target);
    }
  }

  class TextDecoder {
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    readonly encoding: string;
    #rest: number[] = [];
    #started = false;
    constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      const name = p.toLowerCase("" + label);
      if (/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/.test(name)) this.encoding = "utf-8";
      else if (/^\s*(utf-16(le)?|ucs-2)\s*$/.test(name)) this.encoding = "utf-16le";
      else if (/^\s*(latin1|iso-8859-1|ascii|us-ascii|windows-1252)\s*$/.test(name)) {
        this.encoding = "windows-1252";
      } else throw new p.RangeError("Unknown encoding " + name);
      this.fatal = options.fatal === true;
      this.ignoreBOM = options.ignoreBOM === true;
    }
    decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
      const given = input === undefined
        ? new p.Uint8Array(0)
        : ArrayBuffer.isView(input)
        ? new p.Uint8Array(input.buffer as ArrayBuffer, input.byteOffset, input.byteLength)
        : new p.Uint8Array(input);
      const stream = options.stream === true;
      realm.needStack();
      let bytes: Uint8Array = given;
      if (this.#rest.length > 0) {
        bytes = new p.Uint8Array(this.#rest.length + given.length);
        bytes.set(this.#rest);
        bytes.set(given, this.#rest.length);
        this.#rest = [];
      }
      let text: string;
      if (this.encoding === "utf-8") text = this.#decodeUtf8(bytes, stream);
      else text = decodeUnits(bytes, this.encoding === "utf-16le");
      if (!this.#started && text.length > 0) {
        if (!this.ignoreBOM && p.charCodeAt(text, 0) === 0xfeff) text = p.slice(text, 1);
        this.#started = true;
      }
      if (!stream) this.#started = false;
      return text;
    }
    #decodeUtf8(bytes: Uint8Array, stream: boolean): string {
      let text = "";
      let units: number[] = [];
      const put = (code: number) => {
        if (code > 0xffff) {
          p.push(units, 0xd800 + ((code - 0x10000) >> 10));
          p.push(units, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else p.push(units, code);
        // Only some at once: arguments pass through the stack.
        if (units.length >= 512) {
          text += p.apply(p.fromCharCode, undefined, units);
          units = [];
        }
      };
      const bad = () => {
        if (this.fatal) throw new p.TypeError("The bytes are not valid UTF-8");
        put(0xfffd);
      };
      let at = 0;
      while (at < bytes.length) {
        const first = bytes[at]!;
        if (first < 0x80) {
          put(first);
          at++;
          continue;
        }
        const more = first >= 0xc2 && first <= 0xdf
          ? 1
          : first >= 0xe0 && first <= 0xef
          ? 2
          : first >= 0xf0 && first <= 0xf4
          ? 3
          : 0;
        if (more === 0) {
          bad();
          at++;
          continue;
        }
        let code = first & (0x3f >> more);
        let taken = 0;
        while (taken < more && at + 1 + taken < bytes.length) {
          const next = bytes[at + 1 + taken]!;
          const low = taken > 0 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
          const high = taken > 0 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
          if (next < low || next > high) break;
          code = (code << 6) | (next & 0x3f);
          taken++;
        }
        if (taken === more) put(code);
        else if (stream && at + 1 + taken === bytes.length) {
          for (let index = at; index < bytes.length; index++) p.push(this.#rest, bytes[index]!);
          break;
        } else bad();
        at += 1 + taken;
      }
      return text + p.apply(p.fromCharCode, undefined, units);
    }
  }

  function decodeUnits(bytes: Uint8Array, wide: boolean): string {
    let text = "";
    for (let at = 0; at < bytes.length; at += wide ? 2 : 1) {
      text += p.fromCharCode(wide ? bytes[at]! | ((bytes[at + 1] ?? 0) << 8) : bytes[at]!);
    }
    return text;
  }

  function btoa(text: unknown): string {
    const whole = "" + text;
    let out = "";
    for (let at = 0; at < whole.length; at += 3) {
      let bits = 0;
      for (let index = 0; index < 3; index++) {
        const code = at + index < whole.length ? p.charCodeAt(whole, at + index) : 0;
        if (code > 255) {
          throw new p.TypeError("btoa() takes characters up to U+00FF; encode with TextEncoder");
        }
        bits = (bits << 8) | code;
      }
      const left = whole.length - at;
      out += BASE64[bits >> 18]! + BASE64[(bits >> 12) & 63]! +
        (left > 1 ? BASE64[(bits >> 6) & 63]! : "=") + (left > 2 ? BASE64[bits & 63]! : "=");
    }
    return out;
  }

  function atob(text: unknown): string {
    let whole = ("" + text).replace(/[\t\n\f\r ]+/g, "");
    if (whole.length % 4 === 0) whole = whole.replace(/==?$/, "");
    if (whole.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(whole)) {
      throw new p.TypeError("The text is not base64");
    }
    let out = "";
    let bits = 0;
    let count = 0;
    for (let at = 0; at < whole.length; at++) {
      bits = ((bits << 6) | p.indexOf(BASE64, whole[at]!)) & 0xffffff;
      count += 6;
      if (count >= 8) {
        count -= 8;
        out += p.fromCharCode((bits >> count) & 255);
      }
    }
    return out;
  }

  realm.define("TextEncoder", TextEncoder);
  realm.define("TextDecoder", TextDecoder);
  realm.define("atob", atob);
  realm.define("btoa", btoa);
}
