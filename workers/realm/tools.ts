import type { Realm } from "./realm.ts";

/**
 * The global `tools`: `tools.<server>.<tool>(args)`.
 *
 * A program can call any name; the service knows the real ones and answers others with similar
 * names. Calls are sent in order while the unanswered characters fit the window; later calls wait
 * here.
 */
export function installTools(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  interface Call {
    readonly server: string;
    readonly tool: string;
    readonly chars: number;
    /** The arguments until they are sent. */
    json: string;
    readonly site: Error;
    readonly resolve: (value: unknown) => void;
    readonly reject: (reason: unknown) => void;
  }
  const pending = new p.Map<number, Call>();
  let isFailed = false;
  let callCount = 0;
  /** Number of the first call that waits for the window; `callCount` if none waits. */
  let nextToSend = 0;
  let charsUnderWay = 0;

  realm.pendingCalls = () => p.mapSize(pending);

  function call(server: string, tool: string, args: unknown, extra: number): Promise<unknown> {
    const title = server === "" ? tool : server + "." + tool;
    if (realm.finished) throw new p.Error("The execution is over");
    const limits = realm.settings.realm;
    checkCallCount(title);
    let resolve: ((value: unknown) => void) | undefined;
    let reject: ((reason: unknown) => void) | undefined;
    const promise = new p.Promise<unknown>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    // The stack ended before the first line of the function above: the engine has rejected the promise
    // with its RangeError, so do not make the call.
    if (resolve === undefined || reject === undefined) return promise;
    realm.guardPromise(promise, title);
    let json: string | undefined;
    try {
      if (extra > 0) {
        throw badArguments(title + " takes one argument, an object; got " + (extra + 1));
      }
      json = args === undefined ? "{}" : realm.toJson(args, "args");
      if (json === undefined) throw badArguments("The argument of " + title + " has no JSON form");
      const lost = realm.droppedMember(args, "args") ||
        realm.lostValues(args, json, "args", false);
      if (lost !== "") {
        throw realm.failure("TypeError", "Cannot call " + title + ": " + lost, {
          hint: "JSON would not send it: look where it comes from, or leave it out.",
          code: "ERR_INVALID_ARGUMENTS",
          call: null,
        });
      }
      if (json.length > limits.argumentCharsMax) {
        throw realm.failure(
          "RangeError",
          "Cannot call " + title + ": the arguments have " + json.length +
            " characters, the limit is " + limits.argumentCharsMax,
          {
            hint: "Send less at once, for example in several calls.",
            code: "ERR_SANDBOX_MESSAGE_SIZE",
            call: null,
          },
        );
      }
    } catch (error) {
      reject(error);
      return promise;
    }
    // Rendering the arguments may have run code of the program that made more calls.
    checkCallCount(title);
    p.mapSet(pending, callCount, {
      server,
      tool,
      chars: json.length,
      json,
      site: new p.Error(""),
      resolve,
      reject,
    });
    callCount++;
    try {
      sendWaiting();
    } catch {
      // Out of stack: the call is queued. The next sending, or the end of the program's turn, sends
      // it when there is enough stack.
    }
    return promise;
  }

  function checkCallCount(title: string): void {
    const { toolCallsMax } = realm.settings.realm;
    if (callCount < toolCallsMax) return;
    realm.terminate(
      "ERR_SANDBOX_CALLS",
      "Cannot call " + title + ": the program has made " + toolCallsMax +
        " calls, which is the limit",
      "Use tools that take or return many items at once, or split the work over several executions.",
    );
  }

  function sendWaiting(): void {
    while (nextToSend < callCount) {
      const entry = p.mapGet(pending, nextToSend)!;
      const { windowChars } = realm.settings.realm;
      if (charsUnderWay > 0 && charsUnderWay + entry.chars > windowChars) return;
      if (!host.send("c", nextToSend, entry.server, entry.tool, entry.json)) return;
      nextToSend++;
      charsUnderWay += entry.chars;
      entry.json = "";
    }
  }
  realm.sendWaiting = sendWaiting;

  realm.deliverCall = (id, ok, text) => {
    const entry = p.mapGet(pending, id);
    if (entry === undefined) return false;
    p.mapDelete(pending, id);
    charsUnderWay -= entry.chars;
    sendWaiting();
    if (!ok) {
      isFailed = true;
      entry.reject(toolError(id, entry, text));
      return true;
    }
    let value: unknown;
    try {
      value = p.parse(text);
    } catch {
      entry.reject(realm.failure("Error", "The result of the call is not JSON", {
        hint: "The tool's server answered with something unusable.",
        code: null,
        call: id,
      }));
      return true;
    }
    entry.resolve(value);
    return true;
  };

  /** The error of a failed call, with the stack of the place that made the call. */
  function toolError(id: number, entry: Call, text: string): Error {
    const facts = p.parse(text) as { code: string; message: string; hint: string; tool: string };
    const error = entry.site;
    const frames = realm.programFrames(error);
    const set = (key: string, value: unknown, enumerable: boolean) =>
      p.defineProperty(error, key, {
        __proto__: null,
        value,
        writable: true,
        configurable: true,
        enumerable,
      } as PropertyDescriptor);
    set("name", "ToolError", false);
    set("message", facts.message, false);
    set("stack", "ToolError: " + facts.message + frames, false);
    set("code", facts.code, true);
    set("tool", facts.tool, true);
    set("hint", facts.hint, true);
    p.weakSet(realm.marks, error, { hint: facts.hint, code: null, call: id });
    return error;
  }

  function badArguments(message: string): Error {
    return realm.failure("TypeError", message, {
      hint: "Call a tool with one object of named arguments.",
      code: "ERR_INVALID_ARGUMENTS",
      call: null,
    });
  }

  realm.hasFailedCall = () => isFailed;
  realm.floatingCalls = () => {
    const names: string[] = [];
    p.mapForEach(pending, (entry) => {
      if (names.length >= 5) return;
      const at = p.exec(new p.RegExp("program\\.ts:(\\d+)"), realm.programFrames(entry.site));
      p.push(
        names,
        (entry.server === "" ? entry.tool : entry.server + "." + entry.tool) +
          (at === null ? "" : " (line " + at[1] + ")"),
      );
    });
    return p.join(names, ", ");
  };

  // ---- the proxies

  interface Names {
    readonly list: readonly string[];
    readonly index: Map<PropertyKey, unknown>;
  }
  function namesOf(list: readonly string[], values: readonly unknown[]): Names {
    const index = new p.Map<PropertyKey, unknown>();
    for (let at = 0; at < list.length; at++) p.mapSet(index, list[at]!, values[at]);
    return { list, index };
  }
  let servers: Names | null | undefined;
  /** Names of the servers, each with the names of its tools; null if not known. */
  function serverNames(): Names | null {
    if (servers !== undefined) return servers;
    if (realm.names === "") return servers = null;
    const all = p.parse(realm.names) as { server: string; tools: string[] }[];
    const list: string[] = [];
    const tools: unknown[] = [];
    for (let at = 0; at < all.length; at++) {
      p.push(list, all[at]!.server);
      p.push(tools, all[at]!.tools);
    }
    return servers = namesOf(list, tools);
  }
  /** Names of a server's tools; empty if the server does not exist, null if not known. */
  function toolNames(server: string): Names | null {
    const all = serverNames();
    if (all === null) return null;
    const list = (p.mapGet(all.index, server) ?? []) as string[];
    return namesOf(list, list);
  }
  function contains(names: Names | null, name: PropertyKey): boolean {
    return names === null ? typeof name === "string" : p.mapHas(names.index, name);
  }

  /** A read-only object whose members are made on first use. */
  function lazyObject(
    target: object,
    member: (name: string) => unknown,
    makeNames: () => Names | null,
    onCall?: (args: readonly unknown[]) => unknown,
  ): object {
    const members = new p.Map<string, unknown>();
    let made: Names | null | undefined;
    const names = (): Names | null => (made === undefined ? made = makeNames() : made);
    const get = (key: PropertyKey): unknown => {
      if (typeof key !== "string" || key === "then" || key === "toJSON") return undefined;
      let value = p.mapGet(members, key);
      if (value === undefined) {
        // A program that invents names without end must not fill the heap.
        if (p.mapSize(members) >= 10_000) return member(key);
        value = member(key);
        p.mapSet(members, key, value);
      }
      return value;
    };
    return new p.Proxy(target, {
      __proto__: null,
      get: (_target: object, key: PropertyKey) => get(key),
      has: (_target: object, key: PropertyKey) => contains(names(), key),
      ownKeys: () => {
        const keys: string[] = [];
        const list = names()?.list ?? [];
        for (let index = 0; index < list.length; index++) p.push(keys, list[index]!);
        return keys;
      },
      getOwnPropertyDescriptor: (_target: object, key: PropertyKey) =>
        names() !== null && contains(names(), key)
          ? {
            __proto__: null,
            value: get(key),
            enumerable: true,
            configurable: true,
            writable: false,
          }
          : undefined,
      getPrototypeOf: () => null,
      setPrototypeOf: () => false,
      isExtensible: () => true,
      preventExtensions: () => false,
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
      apply: (_target: object, _self: unknown, args: readonly unknown[]) =>
        onCall === undefined ? undefined : onCall(args),
    } as ProxyHandler<object>);
  }

  function toolFunction(server: string, tool: string): unknown {
    const run = (...args: unknown[]) => call(server, tool, args[0], args.length - 1);
    p.weakSet(realm.toolFunctions, run, server + "." + tool);
    return p.freeze(run);
  }

  function serverObject(server: string): unknown {
    if (server === "$search" || server === "$describe") return toolFunction("", server);
    const target = () => {};
    delete (target as { name?: string }).name;
    delete (target as { length?: number }).length;
    const object = lazyObject(
      target,
      (tool) => toolFunction(server, tool),
      () => toolNames(server),
      // A server itself is not a tool: the service, which knows all names, suggests the right one.
      (args) => call("", server, meantTool(args), 0),
    );
    p.weakSet(realm.toolFunctions, object, server);
    return object;
  }

  /** The tool in `tools.call("orders.list", …)` or `tools.callTool({ name: "orders.list" })`. */
  function meantTool(args: readonly unknown[]): unknown {
    let first = args[0];
    if (typeof first === "object" && first !== null) {
      const keys = ["name", "tool", "toolName", "tool_name", "query"];
      for (let index = 0; index < keys.length; index++) {
        const value = p.get(first as object, keys[index]!) as unknown;
        if (typeof value !== "string") continue;
        first = value;
        break;
      }
    }
    return typeof first === "string" ? [p.slice(first, 0, 300)] : [];
  }

  const tools = lazyObject(p.create(null), serverObject, serverNames);
  p.defineProperty(realm.global, "tools", {
    __proto__: null,
    value: tools,
    writable: false,
    configurable: false,
    enumerable: true,
  } as PropertyDescriptor);
}
