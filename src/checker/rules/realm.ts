/**
 * Declarations of the globals that a program has besides ECMAScript and its tools.
 *
 * They are looser than the real globals on purpose: the check finds mistakes that fail at run time,
 * and most of these functions convert their arguments.
 */
export const REALM_DECLARATIONS = `
interface Console {
  log(...values: any[]): void; info(...values: any[]): void; debug(...values: any[]): void;
  warn(...values: any[]): void; error(...values: any[]): void; trace(...values: any[]): void;
  dir(...values: any[]): void; table(...values: any[]): void; assert(...values: any[]): void;
  group(...values: any[]): void; groupCollapsed(...values: any[]): void; groupEnd(): void;
  time(label?: any): void; timeEnd(label?: any): void; timeLog(label?: any, ...values: any[]): void;
  count(label?: any): void; countReset(label?: any): void; clear(): void;
}
declare const console: Console;
declare function setTimeout(handler: any, ms?: any, ...values: any[]): any;
declare function setInterval(handler: any, ms?: any, ...values: any[]): any;
declare function clearTimeout(id?: any): void;
declare function clearInterval(id?: any): void;
declare function queueMicrotask(callback: any): void;
declare function sleep(ms?: any): Promise<void>;
declare function structuredClone<T>(value: T, options?: any): T;
declare function atob(text: any): string;
declare function btoa(text: any): string;
interface URLSearchParams extends Iterable<[string, string]> {
  readonly size: number;
  append(name: any, value: any): void; delete(name: any, value?: any): void;
  get(name: any): string; getAll(name: any): string[]; has(name: any, value?: any): boolean;
  set(name: any, value: any): void; sort(): void; toString(): string;
  forEach(callback: (value: string, name: string, all: URLSearchParams) => any, self?: any): void;
  keys(): IterableIterator<string>; values(): IterableIterator<string>;
  entries(): IterableIterator<[string, string]>;
}
declare var URLSearchParams: { prototype: URLSearchParams; new (init?: any): URLSearchParams };
interface URL {
  hash: string; host: string; hostname: string; href: string; readonly origin: string;
  password: string; pathname: string; port: string; protocol: string; search: string;
  readonly searchParams: URLSearchParams; username: string; toString(): string; toJSON(): string;
}
declare var URL: {
  prototype: URL; new (url: any, base?: any): URL;
  canParse(url: any, base?: any): boolean; parse(url: any, base?: any): URL;
};
interface TextEncoder { readonly encoding: string; encode(text?: any): Uint8Array; encodeInto(text: any, target: any): any }
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };
interface TextDecoder { readonly encoding: string; decode(bytes?: any, options?: any): string }
declare var TextDecoder: { prototype: TextDecoder; new (label?: any, options?: any): TextDecoder };
interface Event { readonly type: string; readonly target: any }
declare var Event: { prototype: Event; new (type: any, options?: any): Event };
interface EventTarget {
  addEventListener(name: any, listener: any, options?: any): void;
  removeEventListener(name: any, listener: any, options?: any): void;
  dispatchEvent(event: any): boolean;
}
declare var EventTarget: { prototype: EventTarget; new (): EventTarget };
interface DOMException extends Error { readonly code: any }
declare var DOMException: { prototype: DOMException; new (message?: any, name?: any): DOMException };
interface AbortSignal extends EventTarget {
  readonly aborted: boolean; readonly reason: any; onabort: any; throwIfAborted(): void;
}
declare var AbortSignal: {
  prototype: AbortSignal; abort(reason?: any): AbortSignal; timeout(ms: any): AbortSignal;
  any(signals: any): AbortSignal;
};
interface AbortController { readonly signal: AbortSignal; abort(reason?: any): void }
declare var AbortController: { prototype: AbortController; new (): AbortController };
declare const crypto: {
  randomUUID(): string; getRandomValues<T>(values: T): T;
  subtle: { digest(algorithm: any, bytes: any): Promise<ArrayBuffer> };
};
declare const performance: { now(): number; readonly timeOrigin: number };
interface Error { code?: any; tool?: any; hint?: any; status?: any; cause?: any }
interface IteratorConstructor { concat(...values: any[]): any; zip(...values: any[]): any }
`;

const NO_NETWORK = "programs have no network; call a tool instead (tools.$search finds one)";
const NO_MODULES = "modules cannot be loaded; use tools.* and plain JavaScript";
const NO_HOST = "files, network and settings come from tools only";
const NO_PAGE = "this is not a web page; use tools.* and return the result";

/** Names that programs written for Node, Deno or a browser expect, and what to do here instead. */
export const MISSING_GLOBALS: ReadonlyMap<string, string> = new Map([
  ...named("fetch Request Response Headers XMLHttpRequest WebSocket EventSource axios", NO_NETWORK),
  ...named("require module exports __dirname __filename", NO_MODULES),
  ...named("Deno Bun process", NO_HOST),
  ...named("window self document navigator location localStorage sessionStorage", NO_PAGE),
  ...named("alert prompt confirm", "nobody sees a dialog; use console.log or return the value"),
  ...named("Buffer", "use TextEncoder and TextDecoder, Uint8Array.fromBase64() and .toBase64()"),
  ...named("global", "use globalThis"),
  ...named("setImmediate", "use setTimeout(callback, 0)"),
  ...named("clearImmediate", "use clearTimeout"),
  ...named("Blob File FormData FileReader", "use strings or Uint8Array"),
  ...named("Worker MessageChannel BroadcastChannel", "run calls in parallel with Promise.all"),
  ...named("WebAssembly", "it is switched off"),
  ...named(
    "lodash _ moment dayjs $ jQuery",
    "there are no libraries; write it in plain JavaScript",
  ),
  ...named("print", "use console.log"),
]);

/** Names that ECMAScript declares, but the sandbox removes. */
export const REMOVED_GLOBALS: ReadonlyMap<string, string> = new Map([
  ...named("eval Function", "code cannot be generated; write the logic out"),
  ...named("SharedArrayBuffer Atomics", "there is one thread; use plain variables"),
  ...named("WeakRef FinalizationRegistry", "hold the value in a variable"),
  ["escape", "use encodeURIComponent"],
  ["unescape", "use decodeURIComponent"],
]);

function named(names: string, remedy: string): [string, string][] {
  return names.split(" ").map((name) => [name, remedy]);
}
