/**
 * Types of the program's realm.
 *
 * The realm is a fresh context inside the Worker. Its parts (`globals.ts`, `tools.ts` …) each export one
 * function that refers to nothing but its argument and the intrinsics of the context it is evaluated
 * in: the Worker evaluates their source text there. Parts use the captured {@linkcode Primordials}
 * instead of methods that a program can replace, never spread, iterate or destructure arrays (that
 * runs replaceable iterators), and never let a function of {@linkcode RealmHost} reach the program.
 *
 * A part can run out of stack at every call it makes. It changes its state after the last call that can
 * fail, or asks for stack first (`needStack`, after the last code of the program that it runs), so that an
 * operation near the end of the stack is done or is not, and the program can go on. A part that drops an
 * error asks first too: what it drops must not be the end of the stack.
 */
import type { RealmLimits } from "../../src/rpc/protocol.ts";

/**
 * Functions of the Worker, callable from the realm's own parts only. They take and return strings,
 * numbers and booleans, and throw only if stack or memory end: then they have changed nothing. The parts
 * hold them behind the wrapper of `membrane.ts`.
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
  /** Calls `fire(id)` after a while. */
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
  /** Evaluates a lazy part in this realm and installs it; false if it failed, but not for want of stack. */
  readonly load: (part: string) => boolean;
}

/** What the Worker calls. Every function takes and returns primitives, except the program itself. */
export interface RealmApi {
  /** @param places JSON `{edits, positions}` of the compiled text */
  readonly configure: (settings: string, names: string, places: string) => void;
  readonly start: (program: () => unknown) => void;
  /** @param atMs milliseconds since the start that a seeded clock is put forward to */
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

/** What the parts share. A null-prototype object that the program never sees. */
export interface Realm {
  readonly p: Primordials;
  readonly host: RealmHost;
  readonly global: Record<PropertyKey, unknown>;
  settings: RealmSettings;
  places: Places;
  /** JSON of `ProgramMessage.names`; empty: not known. */
  names: string;
  /** True once the outcome is sent. */
  finished: boolean;
  /** Things the program may wait for, besides timers and calls (digests). */
  otherPending: number;
  /** Marks an error with a hint, a code, or the call it came from. */
  readonly marks: WeakMap<object, ErrorMark>;

  /** Throws a RangeError if there is no room on the stack for an operation that must not stop half way. */
  readonly needStack: () => void;
  /** Defines a writable, not enumerable global. */
  define: (name: string, value: unknown) => void;
  /** Defines a global that is made by a lazy part at its first use. */
  defineLazy: (name: string, part: string) => void;
  /** Ends the execution at once and throws. */
  terminate: (code: string, message: string, hint: string) => never;
  /** An error with a hint (and a code that the outcome keeps if it is not caught). */
  failure: (type: "Error" | "TypeError" | "RangeError", message: string, mark: ErrorMark) => Error;
  /** Facts of anything thrown, for the outcome. */
  describeFailure: (thrown: unknown) => Record<string, unknown>;
  /** JSON {@linkcode Leftovers}. */
  leftovers: () => string;
  /** Frames of the program in an error's stack, one line each, with original positions. */
  programFrames: (error: Error) => string;
  /** JSON text of a value; undefined if it has none. Throws errors that name the path. */
  toJson: (value: unknown, name: string) => string | undefined;
  /** Gives the objects of a prototype their JSON form. */
  jsonForm: (owner: object, toJson: (this: unknown) => unknown) => void;
  /** True while a value is written for a log, which must not change it. */
  isDescribing: boolean;
  /** Async iterators that the value which is being written has; null where nothing can wait for them. */
  unread: object[] | null;
  isAsyncIterator: (value: unknown) => boolean;
  /** What an iterator gave when it was written; undefined if it was not, or is none. */
  readValues: (iterator: object) => readonly unknown[] | undefined;
  /** Reads async iterators to their end, so that they have a JSON form. */
  readAsync: (iterators: readonly object[]) => Promise<void>;
  /**
   * Where a value has what its JSON text does not: `result.avg is NaN`; empty if nothing was lost.
   *
   * @param lists also name lists of nothing but `undefined`.
   */
  lostValues: (value: unknown, json: string | undefined, name: string, lists: boolean) => string;
  /** The first member that JSON leaves out although it is something; empty if there is none. */
  droppedMember: (value: unknown, name: string) => string;
  /** Text of a value for logs and messages; throws for want of stack only. */
  describe: (value: unknown) => string;
  /** Now, in milliseconds since the epoch: the seed's clock if there is one. */
  nowMs: () => number;
  random: (bytes: number) => string;
  seedClock: (epochMs: number, random: string) => void;
  /** When a timer that starts now is due on the seeded clock; 0 on the real one. */
  dueMs: (ms: number) => number;
  advanceTo: (dueMs: number) => void;
  /** Starts something to wait for; `settle` is called with the text that arrives for the id. */
  wait: (start: (id: number) => void, settle: (ok: boolean, text: string) => void) => void;
  pendingCalls: () => number;
  /** Sends the calls that the window, or the end of the stack, kept from being sent. */
  sendWaiting: () => void;
  pendingTimers: () => number;
  fireTimer: (id: number) => void;
  deliverCall: (id: number, ok: boolean, text: string) => boolean;
  /** Hands what arrived for an id of `wait` to its taker. */
  deliverOther: (id: number, ok: boolean, text: string) => void;
  /** One line about calls that nobody waits for; empty if there are none. */
  floatingCalls: () => string;
  /** Whether a call has failed: then others may run on that the program did wait for. */
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
  /** Number of the failed call; null if none. */
  readonly call: number | null;
}
