import type { encodeMessage, ProgramForm, readMessages } from "../src/rpc/protocol.ts";
import type { scrubGlobals } from "./scrub_globals.ts";
import type { stripProgram, StripTypes } from "./strip_program.ts";
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
  /** What an earlier Worker of the same host compiled. */
  readonly compiled: CompiledWorker | null;
}

/** V8's code of the texts above. */
export interface CompiledWorker {
  readonly main: Uint8Array;
  readonly parts: Uint8Array;
}

interface Script {
  runInContext(context: object): unknown;
  createCachedData(): Uint8Array;
}

/** What `workerMain` needs from outside its own text. */
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
  readonly stripProgram: typeof stripProgram;
  readonly scrubGlobals: typeof scrubGlobals;
  readonly encodeMessage: typeof encodeMessage;
  readonly readMessages: typeof readMessages;
}

/**
 * The main function of the Worker: holds one realm at a time and relays strings.
 *
 * Its source text is evaluated in the Worker, so it refers to nothing but its argument and
 * globals. Once it has taken what it needs, it removes every global that is not ECMAScript and refuses
 * all imports: what escapes the realm finds an empty room.
 */
export function workerMain(deps: WorkerDeps): void {
  "use strict";
  const { vm, encodeMessage, readMessages } = deps;
  const scope = globalThis as unknown as Record<PropertyKey, unknown> & Worker & {
    crypto: Crypto;
    performance: Performance;
  };
  const post = scope.postMessage.bind(scope) as (message: string | CompiledWorker) => void;
  const listen = scope.addEventListener.bind(scope) as (
    type: string,
    listener: (event: MessageEvent & PromiseRejectionEvent) => void,
  ) => void;
  const setTimer = setTimeout;
  const clearTimer = clearTimeout;
  const microtask = queueMicrotask;
  const monotonic = performance.now.bind(performance);
  const getRandom = crypto.getRandomValues.bind(crypto);
  const digestBytes = crypto.subtle.digest.bind(crypto.subtle);
  const NativeUrl = URL;
  const decodeBase64 = atob;
  const batchCharsMax = 65_536;
  const batchMessagesMax = 256;

  const partsScript = new vm.Script(deps.parts, {
    filename: "sandbox:realm",
    cachedData: deps.compiled?.parts,
  });
  const lazyScripts = new Map<string, Script>();
  interface Current {
    readonly context: object;
    readonly api: RealmApi;
    open: boolean;
    started: boolean;
    stallCheck: boolean;
    readonly timers: Map<number, ReturnType<typeof setTimeout>>;
  }
  // The runtime captures its own queueMicrotask at the first use; that must happen before the scrub.
  microtask(() => {});
  if (deps.warmParser) {
    const text =
      "(async () => { enum A { B } const x: Array<number> = []; return (x satisfies any)[A.B] })";
    deps.stripProgram(deps.stripTypes, decodeBase64, [{ text, edits: [], lines: 1 }]);
  }
  let current = createRealm();

  let batch = "";
  let batchMessages = 0;
  function flush(): void {
    if (batch === "") return;
    const text = batch;
    batch = "";
    batchMessages = 0;
    post(text);
  }
  function queue(text: string): void {
    if (batch === "") microtask(flush);
    batch += text;
    batchMessages++;
    if (batch.length > batchCharsMax || batchMessages >= batchMessagesMax) flush();
  }

  function areTexts(values: readonly unknown[]): boolean {
    return values.every((value) => typeof value === "string");
  }

  function createRealm(): Current {
    const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
      name: "program",
      codeGeneration: { strings: false, wasm: false },
    });
    const timers: Current["timers"] = new Map();
    // Types are checked here as well: an object that slips through would run its methods in the Worker, and
    // one whose text is longer than its `length` would make messages of its own.
    const realmHost: RealmHost = {
      send(kind, id, first, second, third) {
        try {
          if (!self.open || typeof id !== "number") return false;
          if (!areTexts([kind, first, second, third])) return false;
          const fields = kind === "c"
            ? [first, second, third]
            : kind === "n"
            ? [first]
            : [first, second];
          queue(encodeMessage(kind, id, fields));
          if (kind === "d" || kind === "f") {
            self.open = false;
            flush();
          }
          return true;
        } catch {
          return false;
        }
      },
      startTimer(id, ms) {
        try {
          if (typeof id !== "number" || typeof ms !== "number") return;
          timers.set(id, setTimer(() => fire(self, id), ms));
        } catch {
          // Out of stack: the program's own recursion; its timer never fires.
        }
      },
      stopTimer(id) {
        try {
          clearTimer(timers.get(id));
          timers.delete(id);
        } catch {
          // As above.
        }
      },
      monotonicMs() {
        try {
          return Math.round(monotonic() * 10) / 10;
        } catch {
          return 0;
        }
      },
      randomBytes(bytes) {
        try {
          if (typeof bytes !== "number") return "";
          let text = "";
          for (const byte of getRandom(new Uint8Array(bytes))) text += String.fromCharCode(byte);
          return text;
        } catch {
          return "";
        }
      },
      digest(id, algorithm, bytes) {
        try {
          if (!areTexts([algorithm, bytes])) return false;
          const data = new Uint8Array(bytes.length);
          for (let index = 0; index < bytes.length; index++) data[index] = bytes.charCodeAt(index);
          digestBytes(algorithm, data).then((hash) => {
            let text = "";
            for (const byte of new Uint8Array(hash)) text += String.fromCharCode(byte);
            deliver(self, id, true, text);
          }, () => deliver(self, id, false, "Unknown algorithm"));
          return true;
        } catch {
          return false;
        }
      },
      url(href, base, property, value) {
        try {
          if (!areTexts([href, base, property, value])) return "";
          const url = base === "" ? new NativeUrl(href) : new NativeUrl(href, base);
          if (property !== "") (url as unknown as Record<string, string>)[property] = value;
          return JSON.stringify([
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
        } catch {
          return "";
        }
      },
      load(part) {
        try {
          if (typeof part !== "string") return false;
          let script = lazyScripts.get(part);
          if (script === undefined) {
            script = new vm.Script("(" + deps.lazyParts[part] + ")", { filename: "sandbox:realm" });
            lazyScripts.set(part, script);
          }
          (script.runInContext(context) as (realm: Realm) => void)(booted.realm);
          return true;
        } catch {
          return false;
        }
      },
    };
    const parts = partsScript.runInContext(context) as {
      bootRealm: (
        parts: unknown,
        host: RealmHost,
        lazy: WorkerDeps["lazyGlobals"],
      ) => { realm: Realm; api: RealmApi };
    };
    const booted = parts.bootRealm(parts, Object.freeze(realmHost), deps.lazyGlobals);
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

  /** After every event: if the realm is still running but has nothing left to wait for, it says so. */
  function watchForStall(realm: Current): void {
    if (!realm.open || realm.stallCheck) return;
    realm.stallCheck = true;
    setTimer(() => {
      realm.stallCheck = false;
      if (!realm.open) return;
      try {
        realm.api.checkStalled();
      } catch {
        // The realm reported what it could.
      }
    }, 0);
  }

  function fire(realm: Current, id: number): void {
    realm.timers.delete(id);
    if (!realm.open) return;
    try {
      realm.api.fire(id);
    } catch {
      // An error of the realm's own parts, out of stack for example: the wall clock ends it.
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
      deps.stripTypes,
      decodeBase64,
      JSON.parse(forms) as ProgramForm[],
    );
    if (!stripped.ok) {
      return refuse(realm, "SyntaxError", "ERR_SYNTAX", stripped.message, stripped);
    }
    const { code, edits, positions } = stripped;
    realm.api.configure(settings, names, JSON.stringify({ edits, positions }));
    let program: () => unknown;
    try {
      program = new vm.Script(code, { filename: "program.ts" }).runInContext(realm.context) as () =>
        unknown;
    } catch (error) {
      const message = error instanceof Error ? error.message : "The program does not compile";
      const deep = error instanceof RangeError;
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

  /** The program never starts. */
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
    queue(encodeMessage("f", 0, [JSON.stringify(failure), '{"timers":0,"calls":0}']));
    flush();
  }

  function end(): void {
    current.open = false;
    for (const timer of current.timers.values()) clearTimer(timer);
    current.timers.clear();
    batch = "";
    post(encodeMessage("x", 0, []));
  }

  function receive(text: unknown): void {
    if (typeof text !== "string") return;
    for (const message of readMessages(text, 100_000) ?? []) {
      const field = message.fields[0] ?? "";
      if (message.kind === "o" || message.kind === "r") {
        deliver(current, message.id, message.kind === "o", field, Number(message.fields[1] ?? ""));
      } else if (message.kind === "s" && current.open && !current.started) {
        start(current, field, message.fields[1] ?? "", message.fields[2] ?? "");
      } else if (message.kind === "e") {
        end();
        // The next realm is made while nobody waits for it.
        if (message.id === 1) current = createRealm();
      }
    }
  }

  listen("message", (event) => receive(event.data));
  listen("messageerror", () => {});
  listen("error", (event) => event.preventDefault());
  listen("unhandledrejection", (event) => {
    event.preventDefault();
    if (current.open) current.api.unhandled(event.reason, event.promise);
  });
  listen("rejectionhandled", (event) => {
    if (current.open) current.api.handled(event.promise);
  });

  deps.registerHooks({
    resolve() {
      throw new Error("Imports are off in the sandbox");
    },
    load() {
      throw new Error("Imports are off in the sandbox");
    },
  });
  deps.scrubGlobals();
  post(deps.share ? { main: deps.compileMain(), parts: partsScript.createCachedData() } : "up");
}
