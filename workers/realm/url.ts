import type { Realm } from "./realm.ts";

/**
 * `URL` and `URLSearchParams`, made at their first use. The Worker parses; only strings pass.
 *
 * @see WHATWG URL, sections 5 and 6
 */
export function installUrl(realm: Realm): void {
  "use strict";
  const { p } = realm;
  const hostUrl = realm.host.url;
  const PARTS = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "search",
    "hash",
  ];

  function formEncode(text: string): string {
    return encodeURIComponent(text.toWellFormed())
      .replace(/%20/g, "+")
      .replace(/[!'()~]/g, (char) => "%" + p.charCodeAt(char, 0).toString(16).toUpperCase());
  }
  function formDecode(text: string): string {
    const spaced = text.replace(/\+/g, " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      // Only whole, valid sequences can be decoded; the rest stays unchanged.
      return spaced.replace(/(%[0-9a-f]{2})+/gi, (run) => {
        try {
          return decodeURIComponent(run);
        } catch {
          return "\ufffd";
        }
      });
    }
  }

  class URLSearchParams {
    #pairs: [string, string][] = [];
    #onChange: ((text: string) => void) | null = null;

    constructor(init: unknown = "") {
      if (typeof init === "object" && init !== null) {
        if (typeof (init as Iterable<unknown>)[Symbol.iterator] === "function") {
          for (const [name, value] of init as Iterable<[unknown, unknown]>) {
            this.#pairs.push(["" + name, "" + value]);
          }
        } else {
          for (const name of Object.keys(init)) {
            this.#pairs.push([name, "" + (init as Record<string, unknown>)[name]]);
          }
        }
      } else {
        const text = "" + init;
        realm.needStack();
        this.#read(text);
      }
    }
    /** Connects the parameters to a URL; only `URL` knows this function. */
    static tie(params: URLSearchParams, onChange: (text: string) => void): void {
      params.#onChange = onChange;
    }
    static reset(params: URLSearchParams, text: string): void {
      params.#pairs = [];
      params.#read(text);
    }
    #read(text: string): void {
      for (const part of (text[0] === "?" ? p.slice(text, 1) : text).split("&")) {
        if (part === "") continue;
        const at = p.indexOf(part, "=");
        const name = at < 0 ? part : p.slice(part, 0, at);
        this.#pairs.push([formDecode(name), at < 0 ? "" : formDecode(p.slice(part, at + 1))]);
      }
    }
    #changed(): void {
      if (this.#onChange !== null) this.#onChange(this.toString());
    }
    get size(): number {
      return this.#pairs.length;
    }
    append(name: unknown, value: unknown): void {
      const pair: [string, string] = ["" + name, "" + value];
      realm.needStack();
      this.#pairs.push(pair);
      this.#changed();
    }
    delete(name: unknown, value?: unknown): void {
      const [key, wanted] = ["" + name, value === undefined ? undefined : "" + value];
      realm.needStack();
      this.#pairs = this.#pairs.filter((pair) =>
        pair[0] !== key || (wanted !== undefined && pair[1] !== wanted)
      );
      this.#changed();
    }
    get(name: unknown): string | null {
      return this.#pairs.find((pair) => pair[0] === "" + name)?.[1] ?? null;
    }
    getAll(name: unknown): string[] {
      return this.#pairs.filter((pair) => pair[0] === "" + name).map((pair) => pair[1]);
    }
    has(name: unknown, value?: unknown): boolean {
      return this.#pairs.some((pair) =>
        pair[0] === "" + name && (value === undefined || pair[1] === "" + value)
      );
    }
    set(name: unknown, value: unknown): void {
      const [key, text] = ["" + name, "" + value];
      realm.needStack();
      const first = this.#pairs.findIndex((pair) => pair[0] === key);
      if (first < 0) return this.append(key, text);
      this.#pairs[first]![1] = text;
      this.#pairs = this.#pairs.filter((pair, index) => index <= first || pair[0] !== key);
      this.#changed();
    }
    sort(): void {
      realm.needStack();
      this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed();
    }
    forEach(visit: (value: string, name: string, params: this) => void, self?: unknown): void {
      for (const [name, value] of this.#pairs) visit.call(self, value, name, this);
    }
    *entries(): Generator<[string, string]> {
      for (const [name, value] of this.#pairs) yield [name, value];
    }
    *keys(): Generator<string> {
      for (const pair of this.#pairs) yield pair[0];
    }
    *values(): Generator<string> {
      for (const pair of this.#pairs) yield pair[1];
    }
    [Symbol.iterator](): Generator<[string, string]> {
      return this.entries();
    }
    toString(): string {
      return this.#pairs.map((pair) => formEncode(pair[0]) + "=" + formEncode(pair[1])).join("&");
    }
    toJSON(): Record<string, string> {
      return Object.fromEntries(this.#pairs);
    }
  }
  const { tie, reset } = URLSearchParams;
  delete (URLSearchParams as { tie?: unknown }).tie;
  delete (URLSearchParams as { reset?: unknown }).reset;

  /** Components in the order of PARTS, or null. */
  function parse(href: string, base: string, property: string, value: string): string[] | null {
    const text = hostUrl(href, base, property, value);
    return text === "" ? null : p.parse(text) as string[];
  }

  class URL {
    #parts: string[];
    #params: URLSearchParams | null = null;

    constructor(url: unknown, base?: unknown) {
      const parts = parse("" + url, base === undefined ? "" : "" + base, "", "");
      if (parts === null) {
        throw realm.failure("TypeError", "Invalid URL: '" + p.slice("" + url, 0, 200) + "'", {
          hint: "Give a whole URL, or a second argument to resolve against.",
          code: null,
          call: null,
        });
      }
      this.#parts = parts;
    }
    static canParse(url: unknown, base?: unknown): boolean {
      return parse("" + url, base === undefined ? "" : "" + base, "", "") !== null;
    }
    static parse(url: unknown, base?: unknown): URL | null {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    get searchParams(): URLSearchParams {
      if (this.#params === null) {
        realm.needStack();
        this.#params = new URLSearchParams(this.#parts[9]!);
        tie(this.#params, (text) => this.#set("search", text, false));
      }
      return this.#params;
    }
    #set(property: string, value: string, refresh: boolean): void {
      if (refresh) realm.needStack();
      const parts = parse(this.#parts[0]!, "", property, value);
      if (parts === null) {
        if (property === "href") {
          throw new p.TypeError("Invalid URL: '" + p.slice(value, 0, 200) + "'");
        }
        return;
      }
      this.#parts = parts;
      if (refresh && this.#params !== null) reset(this.#params, parts[9]!);
    }
    /** Used below to define the accessors of the components, then removed. */
    static accessors(): void {
      for (let index = 0; index < PARTS.length; index++) {
        const name = PARTS[index]!;
        p.defineProperty(URL.prototype, name, {
          __proto__: null,
          get(this: URL) {
            return this.#parts[index];
          },
          set: name === "origin" ? undefined : function (this: URL, value: unknown) {
            this.#set(name, "" + value, true);
          },
          enumerable: true,
          configurable: true,
        } as PropertyDescriptor);
      }
    }
    toString(): string {
      return this.#parts[0]!;
    }
    toJSON(): string {
      return this.#parts[0]!;
    }
  }
  URL.accessors();
  delete (URL as { accessors?: unknown }).accessors;

  realm.define("URL", URL);
  realm.define("URLSearchParams", URLSearchParams);
}
