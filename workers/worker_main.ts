import type { encodeMessage, ProgramForm, readMessages } from "../src/rpc/protocol.ts";
import type { freezeWorker } from "./freeze_worker.ts";
import type { scrubGlobals } from "./scrub_globals.ts";
import type { stripProgram, StripTypes } from "./strip_program.ts";
import type { BootedRealm } from "./realm/boot.ts";
import type { capturePrimordials } from "./realm/primordials.ts";
import type { Realm, RealmApi, RealmHost } from "./realm/realm.ts";

/** The first message of a Worker: data and program texts, all from the host's own code. */
export interface WorkerBoot {
  /** The Worker's main function as text: an expression. */
  readonly main: string;
  /** Text of the eager parts of a realm: an object expression of type `RealmParts` with `bootRealm`. */
  readonly parts: string;
  /** Texts of the lazy parts by name: function expressions. */
  readonly lazyParts: { readonly [name: string]: string };
  /** Globals that lazy parts make: `[global, part]`. */
  readonly lazyGlobals: readonly (readonly [string, string])[];
  readonly warmParser: boolean;
  readonly share: boolean;
  /** Compiled code from an earlier Worker of the same host. */
  readonly compiled: CompiledWorker | null;
}

/** V8's compiled code of the texts above. */
export interface CompiledWorker {
  readonly main: Uint8Array;
  readonly parts: Uint8Array;
}

interface Script {
  runInContext(context: object): unknown;
  createCachedData(): Uint8Array;
}

/** Everything that `workerMain` needs from outside its own text. */
export interface WorkerDeps extends WorkerBoot {
  readonly vm: {
    readonly Script: new (
      text: string,
      options: { filename: string; cachedData?: Uint8Array | undefined },
    ) => Script;
    readonly createContext: (object: unknown, options: object) => object;
    readonly constants: { readonly DONT_CONTEXTIFY: symbol };
  };
  readonly registerHooks: (hooks: { resolve: () => never; load: () => never }) => unknown;
  readonly stripTypes: StripTypes;
  readonly compileMain: () => Uint8Array;
  readonly capturePrimordials: typeof capturePrimordials;
  readonly stripProgram: typeof stripProgram;
  readonly scrubGlobals: typeof scrubGlobals;
  readonly freezeWorker: typeof freezeWorker;
  readonly encodeMessage: typeof encodeMessage;
  readonly readMessages: typeof readMessages;
}

/**
 * The main function of the Worker: holds one realm at a time and relays strings.
 *
 * The Worker evaluates the source text, so it refers only to its argument and to globals. First it
 * captures its methods ({@linkcode capturePrimordials}), then it removes every global that is not
 * ECMAScript, refuses imports and freezes the rest: an escaped program can change nothing here.
 */
export function workerMain(deps: WorkerDeps): void {
  "use strict";
  const { vm, encodeMessage, readMessages } = deps;
  const p = deps.capturePrimordials();
  const scope = globalThis as unknown as Record<PropertyKey, unknown> & Worker & {
    crypto: Crypto;
    performance: Performance;
  };
  const post = scope.postMessage.bind(scope) as (message: string | CompiledWorker) => void;
  const GenuineEvent = Event;
  const addListener = scope.addEventListener.bind(scope);
  const listen = (type: string, listener: (event: MessageEvent & PromiseRejectionEvent) => void) =>
    addListener(type, (event) => {
      // Code that reaches the global object can reach this function and could forge a message.
      if (event instanceof GenuineEvent) listener(event as MessageEvent & PromiseRejectionEvent);
    });
  const setTimer = setTimeout;
  const clearTimer = clearTimeout;
  const monotonic = performance.now.bind(performance);
  const getRandom = crypto.getRandomValues.bind(crypto);
  const digestBytes = crypto.subtle.digest.bind(crypto.subtle);
  const NativeUrl = URL;
  const decodeBase64 = atob;
  const resolved = new p.Promise<void>((resolve) => resolve());
  const batchCharsMax = 65_536;
  const batchMessagesMax = 256;

  const partsScript = new vm.Script(deps.parts, {
    filename: "sandbox:realm",
    cachedData: deps.compiled?.parts,
  });
  const lazyScripts = new p.Map<string, Script>();
  interface Current {
    readonly context: object;
    readonly api: RealmApi;
    open: boolean;
    started: boolean;
    stallCheck: boolean;
    readonly timers: Map<number, ReturnType<typeof setTimeout>>;
  }
  // The runtime captures its own queueMicrotask at the first use: use it before the scrub.
  queueMicrotask(() => {});
  if (deps.warmParser) {
    const text =
      "(async () => { enum A { B } const x: Array<number> = []; return (x satisfies any)[A.B] })";
    deps.stripProgram(p, deps.stripTypes, decodeBase64, [{ text, edits: [], lines: 1 }]);
  }
  let current = createRealm();

  let batch = "";
  let batchMessages = 0;
  let flushScheduled = false;
  function isBatchFull(): boolean {
    return batch.length > batchCharsMax || batchMessages >= batchMessagesMax;
  }
  function flush(): void {
    if (batch === "") return;
    post(batch);
    batch = "";
    batchMessages = 0;
  }
  function flushLater(): void {
    flushScheduled = false;
    flush();
  }
  /** Puts a message into the batch, or throws without any change. */
  function queue(text: string, urgent: boolean): void {
    if (isBatchFull()) flush();
    if (!flushScheduled) {
      p.then(resolved, flushLater);
      flushScheduled = true;
    }
    batch += text;
    batchMessages++;
    if (!urgent && !isBatchFull()) return;
    try {
      flush();
    } catch {
      // Near the stack limit: a later task sends the batch, with an empty stack.
    }
  }

  /** One character per byte. */
  function textOf(bytes: Uint8Array): string {
    let text = "";
    for (let index = 0; index < bytes.length; index++) text += p.fromCharCode(bytes[index]!);
    return text;
  }

  function parseUrl(href: string, base: string, property: string, value: string): string {
    let url: URL;
    try {
      url = base === "" ? new NativeUrl(href) : new NativeUrl(href, base);
      if (property !== "") (url as unknown as Record<string, string>)[property] = value;
    } catch (error) {
      // A RangeError means that the stack ended; else the text is not a URL.
      if (error instanceof p.RangeError) throw error;
      return "";
    }
    return p.stringify([
      url.href,
      url.origin,
      url.protocol,
      url.username,
      url.password,
      url.host,
      url.hostname,
      url.port,
      url.pathname,
      url.search,
      url.hash,
    ]);
  }

  function startDigest(realm: Current, id: number, algorithm: string, data: Uint8Array): void {
    if (!realm.open) return;
    p.then(
      digestBytes(algorithm, data as Uint8Array<ArrayBuffer>),
      (hash) => deliver(realm, id, true, textOf(new p.Uint8Array(hash as ArrayBuffer))),
      () => deliver(realm, id, false, "Unknown algorithm"),
    );
  }

  function createRealm(): Current {
    const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
      name: "program",
      codeGeneration: { strings: false, wasm: false },
    });
    const timers: Current["timers"] = new p.Map();
    // The realm calls these only through the wrapper of `membrane.ts`, which checks types in both
    // directions and hides errors. Each changes its state after the last call that can fail.
    const realmHost: RealmHost = {
      send(kind, id, first, second, third) {
        if (!self.open) return false;
        const fields = kind === "c"
          ? [first, second, third]
          : kind === "n"
          ? [first]
          : [first, second];
        const ends = kind === "d" || kind === "f";
        queue(encodeMessage(kind, id, fields), ends);
        if (ends) self.open = false;
        return true;
      },
      startTimer(id, ms) {
        p.mapSet(timers, id, setTimer(() => fire(self, id), ms));
      },
      stopTimer(id) {
        clearTimer(p.mapGet(timers, id));
        p.mapDelete(timers, id);
      },
      monotonicMs: () => p.round(monotonic() * 10) / 10,
      randomBytes: (bytes) => textOf(getRandom(new p.Uint8Array(bytes))),
      digest(id, algorithm, bytes) {
        const data = new p.Uint8Array(bytes.length);
        for (let index = 0; index < bytes.length; index++) data[index] = p.charCodeAt(bytes, index);
        // Start with an empty stack: a stack error would look like an error of the algorithm.
        p.then(resolved, () => startDigest(self, id, algorithm, data));
      },
      url: parseUrl,
      load(part) {
        let script = p.mapGet(lazyScripts, part);
        if (script === undefined) {
          script = new vm.Script("(" + deps.lazyParts[part] + ")", { filename: "sandbox:realm" });
          p.mapSet(lazyScripts, part, script);
        }
        return booted.install(script.runInContext(context) as (realm: Realm) => void);
      },
    };
    const parts = partsScript.runInContext(context) as {
      bootRealm: (
        parts: unknown,
        host: RealmHost,
        lazy: WorkerDeps["lazyGlobals"],
      ) => BootedRealm;
    };
    const booted = parts.bootRealm(parts, p.freeze(realmHost), deps.lazyGlobals);
    const self: Current = {
      context,
      api: booted.api,
      open: true,
      started: false,
      stallCheck: false,
      timers,
    };
    return self;
  }

  /** After every event: asks a running realm whether it still has something to wait for. */
  function watchForStall(realm: Current): void {
    if (!realm.open || realm.stallCheck) return;
    realm.stallCheck = true;
    setTimer(() => {
      realm.stallCheck = false;
      if (!realm.open) return;
      try {
        realm.api.checkStalled();
      } catch {
        // The realm has reported as much as it can.
      }
    }, 0);
  }

  function fire(realm: Current, id: number): void {
    p.mapDelete(realm.timers, id);
    if (!realm.open) return;
    try {
      realm.api.fire(id);
    } catch {
      // The realm's own parts failed (out of stack, for example): the wall-clock limit ends it.
    }
    watchForStall(realm);
  }

  function deliver(realm: Current, id: number, ok: boolean, text: string, atMs = 0): void {
    if (!realm.open) return;
    try {
      realm.api.deliver(id, ok, text, atMs);
    } catch {
      // As above.
    }
    watchForStall(realm);
  }

  function start(realm: Current, settings: string, names: string, forms: string): void {
    realm.started = true;
    const stripped = deps.stripProgram(
      p,
      deps.stripTypes,
      decodeBase64,
      p.parse(forms) as ProgramForm[],
    );
    if (!stripped.ok) {
      return refuse(realm, "SyntaxError", "ERR_SYNTAX", stripped.message, stripped);
    }
    const { code, edits, positions } = stripped;
    realm.api.configure(settings, names, p.stringify({ edits, positions }));
    let program: () => unknown;
    try {
      program = new vm.Script(code, { filename: "program.ts" }).runInContext(realm.context) as () =>
        unknown;
    } catch (error) {
      const message = error instanceof p.Error ? error.message : "The program does not compile";
      const deep = error instanceof p.RangeError;
      return refuse(
        realm,
        deep ? "RangeError" : "SyntaxError",
        deep ? "ERR_SANDBOX_NESTING" : "ERR_SYNTAX",
        message,
        { line: null, column: null },
      );
    }
    try {
      realm.api.start(program);
    } catch {
      // As in fire().
    }
    watchForStall(realm);
  }

  /** Reports that the program cannot start. */
  function refuse(
    realm: Current,
    name: string,
    code: string,
    message: string,
    place: { line: number | null; column: number | null },
  ): void {
    realm.open = false;
    const stack = `${name}: ${message}`;
    const { line, column } = place;
    const failure = { name, message, stack, line, column, call: null, code, hint: "" };
    queue(encodeMessage("f", 0, [p.stringify(failure), '{"timers":0,"calls":0}']), true);
  }

  function end(): void {
    current.open = false;
    p.mapForEach(current.timers, (timer) => clearTimer(timer));
    batch = "";
    batchMessages = 0;
    post(encodeMessage("x", 0, []));
  }

  function receive(text: unknown): void {
    if (typeof text !== "string") return;
    const messages = readMessages(text, 100_000) ?? [];
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index]!;
      const field = message.fields[0] ?? "";
      if (message.kind === "o" || message.kind === "r") {
        deliver(current, message.id, message.kind === "o", field, +(message.fields[1] ?? ""));
      } else if (message.kind === "s" && current.open && !current.started) {
        start(current, field, message.fields[1] ?? "", message.fields[2] ?? "");
      } else if (message.kind === "e") {
        end();
        // Make the next realm now, while no program waits for it.
        if (message.id === 1) current = createRealm();
      }
    }
  }

  listen("message", (event) => receive(event.data));
  listen("messageerror", () => {});
  listen("error", (event) => event.preventDefault());
  listen("unhandledrejection", (event) => {
    event.preventDefault();
    if (!current.open || !isOfRealm(event.promise)) return;
    current.api.unhandled(event.reason, event.promise);
    watchForStall(current);
  });
  listen("rejectionhandled", (event) => {
    if (current.open && isOfRealm(event.promise)) current.api.handled(event.promise);
  });

  /** False for a promise of the Worker's own realm: its rejection must not reach the program. */
  function isOfRealm(promise: Promise<unknown>): boolean {
    try {
      return !(promise instanceof p.Promise);
    } catch {
      // The promise has a Proxy of the program among its prototypes.
      return true;
    }
  }

  deps.registerHooks({
    resolve() {
      throw new Error("Imports are off in the sandbox");
    },
    load() {
      throw new Error("Imports are off in the sandbox");
    },
  });
  deps.scrubGlobals();
  deps.freezeWorker(p);
  post(deps.share ? { main: deps.compileMain(), parts: partsScript.createCachedData() } : "up");
}
