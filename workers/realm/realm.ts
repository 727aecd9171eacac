/**
 * Types of the program's realm.
 *
 * The realm is a fresh context inside the Worker. Each part (`globals.ts`, `tools.ts` …) exports
 * one function, whose source text the Worker evaluates in that context. So the function refers only
 * to its argument and to intrinsics. Parts use the captured {@linkcode Primordials} instead of
 * methods that a program can replace, never spread, iterate or destructure arrays (that runs
 * replaceable iterators), and never let a function of {@linkcode RealmHost} reach the program.
 *
 * A part can run out of stack at every call it makes. An operation near the stack limit must happen
 * whole or not at all, so that the program can go on. So a part changes its state after the last
 * call that can fail, or calls `needStack` first (after the last code of the program that it runs).
 * A part that drops errors also calls `needStack` first: it must not drop the error of the stack
 * limit.
 */
import type { RealmLimits } from "../../src/rpc/protocol.ts";

/**
 * Functions of the Worker, for the realm's own parts only. They take and return strings, numbers
 * and booleans. They throw only when stack or memory ends, and then they have changed nothing. The
 * parts call them through the wrapper of `membrane.ts`.
 */
export interface RealmHost {
  /** Queues a message (a call has three fields, a note one, others two); false after the outcome. */
  readonly send: (
    kind: string,
    id: number,
    first: string,
    second: string,
    third: string,
  ) => boolean;
  /** Calls `fire(id)` after `ms` milliseconds. */
  readonly startTimer: (id: number, ms: number) => void;
  readonly stopTimer: (id: number) => void;
  /** Milliseconds since the Worker started, rounded to 0.1. */
  readonly monotonicMs: () => number;
  /** `bytes` random bytes as a string of one character per byte. */
  readonly randomBytes: (bytes: number) => string;
  /** Starts a digest; the answer comes through `deliver(id, …)`, never before this returns. */
  readonly digest: (id: number, algorithm: string, bytes: string) => void;
  /** Parses or changes a URL: components as JSON, or an empty string if it does not parse. */
  readonly url: (href: string, base: string, property: string, value: string) => string;
  /** Installs a lazy part; false if it failed for another reason than the stack limit. */
  readonly load: (part: string) => boolean;
}

/** The functions that the Worker calls. They take and return primitives, except the program. */
export interface RealmApi {
  /** @param places JSON `{edits, positions}` of the compiled text */
  readonly configure: (settings: string, names: string, places: string) => void;
  readonly start: (program: () => unknown) => void;
  /** @param atMs new time of a seeded clock, in milliseconds since the start */
  readonly deliver: (id: number, ok: boolean, text: string, atMs: number) => void;
  readonly fire: (id: number) => void;
  readonly unhandled: (reason: unknown, promise: object) => void;
  readonly handled: (promise: object) => void;
  /** Ends the execution as stalled if nothing can ever wake it. */
  readonly checkStalled: () => void;
}

/** Settings of one execution. */
export interface RealmSettings {
  readonly realm: RealmLimits;
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
}

/** Where the compiled text differs from the caller's code. */
export interface Places {
  /** Source edits before compilation: `[line, column, columns added]`, 1-based. */
  readonly edits: readonly (readonly number[])[];
  /** `[line, column, originalLine, originalColumn]` sorted by place, 1-based; null without a transform. */
  readonly positions: readonly (readonly number[])[] | null;
}

/** Intrinsics and methods of the realm, taken before the program runs. Methods take `this` first. */
export interface Primordials {
  readonly apply: typeof Reflect.apply;
  readonly construct: typeof Reflect.construct;
  readonly has: typeof Reflect.has;
  readonly get: typeof Reflect.get;
  readonly ownKeys: typeof Reflect.ownKeys;
  readonly getOwnPropertyDescriptor: typeof Reflect.getOwnPropertyDescriptor;
  readonly getPrototypeOf: typeof Reflect.getPrototypeOf;
  readonly setPrototypeOf: typeof Object.setPrototypeOf;
  readonly create: typeof Object.create;
  readonly defineProperty: typeof Object.defineProperty;
  readonly freeze: typeof Object.freeze;
  readonly isArray: typeof Array.isArray;
  readonly parse: typeof JSON.parse;
  readonly stringify: typeof JSON.stringify;
  readonly fromCharCode: typeof String.fromCharCode;
  readonly fromCodePoint: typeof String.fromCodePoint;
  readonly now: () => number;
  readonly min: typeof Math.min;
  readonly round: typeof Math.round;
  readonly floor: typeof Math.floor;
  readonly imul: typeof Math.imul;
  readonly Array: ArrayConstructor;
  readonly ArrayBuffer: ArrayBufferConstructor;
  readonly BigInt: BigIntConstructor;
  readonly DataView: DataViewConstructor;
  readonly Date: DateConstructor;
  readonly Error: ErrorConstructor;
  readonly Map: MapConstructor;
  readonly Number: NumberConstructor;
  readonly Object: ObjectConstructor;
  readonly Promise: PromiseConstructor;
  readonly Proxy: ProxyConstructor;
  readonly RangeError: RangeErrorConstructor;
  readonly RegExp: RegExpConstructor;
  readonly Set: SetConstructor;
  readonly String: StringConstructor;
  readonly SyntaxError: SyntaxErrorConstructor;
  readonly TypeError: TypeErrorConstructor;
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly WeakMap: WeakMapConstructor;
  readonly then: (
    promise: PromiseLike<unknown>,
    fulfilled: ((value: unknown) => unknown) | undefined,
    rejected?: (reason: unknown) => unknown,
  ) => Promise<unknown>;
  readonly mapGet: <K, V>(map: Map<K, V>, key: K) => V | undefined;
  readonly mapSet: <K, V>(map: Map<K, V>, key: K, value: V) => Map<K, V>;
  readonly mapDelete: <K, V>(map: Map<K, V>, key: K) => boolean;
  readonly mapHas: <K, V>(map: Map<K, V>, key: K) => boolean;
  readonly mapSize: (map: Map<unknown, unknown>) => number;
  readonly mapForEach: <K, V>(map: Map<K, V>, visit: (value: V, key: K) => void) => void;
  readonly setForEach: <V>(set: Set<V>, visit: (value: V) => void) => void;
  readonly setSize: (set: Set<unknown>) => number;
  readonly weakGet: <K extends object, V>(map: WeakMap<K, V>, key: K) => V | undefined;
  readonly weakSet: <K extends object, V>(map: WeakMap<K, V>, key: K, value: V) => WeakMap<K, V>;
  readonly weakHas: <K extends object, V>(map: WeakMap<K, V>, key: K) => boolean;
  readonly push: <T>(array: T[], value: T) => number;
  readonly join: (array: readonly unknown[], separator: string) => string;
  readonly slice: (text: string, from: number, to?: number) => string;
  readonly split: (text: string, separator: string) => string[];
  readonly includes: (text: string, part: string) => boolean;
  readonly startsWith: (text: string, part: string) => boolean;
  readonly indexOf: (text: string, part: string, from?: number) => number;
  readonly charCodeAt: (text: string, index: number) => number;
  readonly codePointAt: (text: string, index: number) => number | undefined;
  readonly repeat: (text: string, times: number) => string;
  readonly toLowerCase: (text: string) => string;
  readonly exec: (expression: RegExp, text: string) => RegExpExecArray | null;
  readonly toISOString: (date: Date) => string;
  readonly getTime: (date: Date) => number;
  readonly byteLengthOf: (buffer: ArrayBuffer) => number;
}

/** State and functions of all parts. A null-prototype object that the program never sees. */
export interface Realm {
  readonly p: Primordials;
  readonly host: RealmHost;
  readonly global: Record<PropertyKey, unknown>;
  settings: RealmSettings;
  places: Places;
  /** JSON of `ProgramMessage.names`; empty if not known. */
  names: string;
  /** True once the outcome is sent. */
  finished: boolean;
  /** Number of pending operations other than timers and calls: digests. */
  otherPending: number;
  /** Marks an error with a hint, a code, or the call it came from. */
  readonly marks: WeakMap<object, ErrorMark>;

  /** Throws a RangeError if the stack is too short for an operation that must not stop half way. */
  readonly needStack: () => void;
  /** Defines a writable global that is not enumerable. */
  define: (name: string, value: unknown) => void;
  /** Defines a global that is made by a lazy part at its first use. */
  defineLazy: (name: string, part: string) => void;
  /** Ends the execution at once and throws. */
  terminate: (code: string, message: string, hint: string) => never;
  /** An error with a hint, and with a code for the outcome if the program does not catch it. */
  failure: (type: "Error" | "TypeError" | "RangeError", message: string, mark: ErrorMark) => Error;
  /** Facts of anything thrown, for the outcome. */
  describeFailure: (thrown: unknown) => Record<string, unknown>;
  /** JSON {@linkcode Leftovers}. */
  leftovers: () => string;
  /** Frames of the program in an error's stack, one line each, with original positions. */
  programFrames: (error: Error) => string;
  /** JSON text of a value; undefined if it has none. Throws errors that name the path. */
  toJson: (value: unknown, name: string) => string | undefined;
  /** Defines the JSON form of all objects with a prototype. */
  jsonForm: (owner: object, toJson: (this: unknown) => unknown) => void;
  /** True while a value is rendered for a log; rendering must not change it. */
  isDescribing: boolean;
  /** Async iterators in the value being rendered; null where the realm cannot wait for them. */
  unread: object[] | null;
  isAsyncIterator: (value: unknown) => boolean;
  /** The values of a rendered iterator; undefined for others and for other objects. */
  readValues: (iterator: object) => readonly unknown[] | undefined;
  /** Reads async iterators to their end, so that they have a JSON form. */
  readAsync: (iterators: readonly object[]) => Promise<void>;
  /**
   * Names the places that a value loses in its JSON text: `result.avg is NaN`; empty if none.
   *
   * @param lists also name lists with only `undefined` in them.
   */
  lostValues: (value: unknown, json: string | undefined, name: string, lists: boolean) => string;
  /** The first function or symbol that JSON leaves out; empty if there is none. */
  droppedMember: (value: unknown, name: string) => string;
  /** Text of a value for logs and messages; throws only at the stack limit. */
  describe: (value: unknown) => string;
  /** Now, in milliseconds since the epoch: the seed's clock if there is one. */
  nowMs: () => number;
  random: (bytes: number) => string;
  seedClock: (epochMs: number, random: string) => void;
  /** When a timer that starts now is due on the seeded clock; 0 on the real one. */
  dueMs: (ms: number) => number;
  advanceTo: (dueMs: number) => void;
  /** Starts an operation and calls `settle` with the text that arrives for its id. */
  wait: (start: (id: number) => void, settle: (ok: boolean, text: string) => void) => void;
  pendingCalls: () => number;
  /** Sends the calls that were held back by the window or the stack limit. */
  sendWaiting: () => void;
  pendingTimers: () => number;
  fireTimer: (id: number) => void;
  deliverCall: (id: number, ok: boolean, text: string) => boolean;
  /** Passes the answer for an id of `wait` to its `settle`. */
  deliverOther: (id: number, ok: boolean, text: string) => void;
  /** One line about calls that the program does not wait for; empty if there are none. */
  floatingCalls: () => string;
  /** Whether a call has failed: then calls that the program did await may still be running. */
  hasFailedCall: () => boolean;
  isPromise: (value: unknown) => boolean;
  /** Makes a member access on a promise of a call say that `await` is missing. */
  guardPromise: (promise: Promise<unknown>, title: string) => void;
  /** Tool functions and server objects of `tools`, with their names. */
  readonly toolFunctions: WeakMap<object, string>;
}

export interface ErrorMark {
  readonly hint: string;
  readonly code: string | null;
  /** Number of the failed call; null if the error is not from a call. */
  readonly call: number | null;
}
