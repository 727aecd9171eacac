/**
 * Programs that look for an object of another realm in everything that a program can reach.
 *
 * They are put together from the texts in `fixtures/walk`: a walker, errors of every kind that the engine
 * throws, and every function of the realm that goes to the Worker. Each returns a {@linkcode WalkReport}.
 */
export interface WalkReport {
  /** Objects that were looked at. */
  readonly visited: number;
  /** Errors that were looked at. */
  readonly thrown: number;
  /** Operations on objects that show everything that is done to them. */
  readonly spied: number;
  /** Paths of objects of another realm. */
  readonly foreign: readonly string[];
}

/** What is done to a global. */
export type Mutation = "assign" | "getter" | "delete" | "subclass" | "proxy";
export const MUTATIONS: readonly Mutation[] = ["assign", "getter", "delete", "subclass", "proxy"];

/** Local variables, and arguments of the host function, of a frame near the end of the stack. */
export const FRAME_SIZES: readonly number[] = Array.from({ length: 13 }, (_, size) => size);

const [CORE, PROVOKE, ACTS, OUTCOMES] = ["core", "provoke", "acts", "outcomes"].map((name) =>
  Deno.readTextFileSync(new URL(`./fixtures/walk/${name}.txt`, import.meta.url))
) as [string, string, string, string];
const HEAD = CORE + PROVOKE + ACTS;

/** Walks the realm as it is, and calls everything that it finds with objects that show what is done to them. */
export function renderGraphWalk(): string {
  return `${HEAD}
    visit(G, "globalThis"); act("act"); provoke("error"); provokeDeep("overflow"); provokeLater("later"); drain();
    const one = spy("spy");
    for (const use of [() => console.log(one, "%s %d %o", one), () => tools.math.echo(one), () => tools.math.echo({ one }), () => tools[one], () => new URL(one), () => new URL("x", one), () => { aUrl.pathname = one; }, () => new URLSearchParams(one), () => someParams.append(one, one), () => structuredClone(one), () => structuredClone({ one }), () => new TextEncoder().encode(one), () => new TextDecoder(one, one), () => new TextDecoder().decode(one, one), () => atob(one), () => crypto.subtle.digest(one, one), () => crypto.subtle.digest(one, someBytes), () => crypto.getRandomValues(one), () => setTimeout(one, one, one), () => setTimeout(function () { visit(this, "timer this"); visit(arguments, "timer arguments"); }, one), () => clearTimeout(one), () => sleep(one), () => queueMicrotask(one), () => new Event(one, one), () => target.addEventListener(one, one, one), () => AbortSignal.any([one]), () => AbortSignal.timeout(one), () => new DOMException(one, one), () => performance.now(one), () => import(one), () => import("x", one), () => Promise.reject(one), () => Promise.reject(spy("rejected")), () => Promise.resolve(one), () => NativeError.prepareStackTrace(one, [one]), () => capture(one, one), () => { throw one; }]) attemptAsync(use, "spy " + use);
    await sleep(5); drain();
    // Everything that can be called, is.
    const all = []; known.forEach((value) => { if (typeof value === "function") all[all.length] = value; });
    const skip = [console.log, console.info, console.warn, console.error, console.debug, console.trace, console.table, console.dir, console.assert, console.group, console.groupCollapsed, console.timeLog, console.timeEnd, console.count, setInterval, setTimeout, sleep, Object.freeze, Object.seal, Object.preventExtensions, Object.setPrototypeOf];
    for (const one of all) {
      if (skip.includes(one) || isToolLike(one)) continue;
      for (const args of [[], [spy("a")], [spy("b"), spy("c"), spy("d")], [1, "x"]]) { attemptAsync(() => apply(one, undefined, args), "call"); attemptAsync(() => apply(one, spy("this"), args), "method"); attemptAsync(() => construct(one, args), "new"); }
    }
    function isToolLike(value) { return typeof value === "function" && (safeProto(value) === null || /^\\(\\.\\.\\.args\\) => call/.test(Function.prototype.toString.call(value))); }
    return await done();`;
}

/** Does one thing to each of some globals in turn, and looks at what is thrown and given meanwhile. */
export function renderMutationWalk(mutation: Mutation, globals: RegExp): string {
  return `${HEAD}
    const names = ownKeys(G).filter((name) => typeof name === "string" && ${globals}.test(name));
    visit(G, "globalThis");
    const collect = (_error, sites) => { for (const site of sites ?? []) visit(site, "call site"); return "stack"; };
    const setProto = Reflect.setPrototypeOf, looked = /Error$|^(Promise|Symbol|Object|Function|globalThis|Proxy|Reflect)$/;
    for (const name of names) {
      const before = describe(G, name);
      let original; try { original = G[name]; } catch { continue; }
      const mutate = {
        assign: () => { G[name] = { prepareStackTrace: collect, prototype: OP, captureStackTrace: collect }; },
        getter: () => define(G, name, { configurable: true, get() { visit(this, "getter this"); return { __proto__: spy(name), prepareStackTrace: collect }; }, set(value) { visit(value, "setter value"); } }),
        delete: () => { remove(G, name); Object.setPrototypeOf(G, new NativeProxy(OP, { get: (from, key, receiver) => { visit(receiver, "global prototype receiver"); return key === name ? { prepareStackTrace: collect } : Reflect.get(from, key, receiver); }, has: (from, key) => key === name || key in from })); },
        subclass: () => { G[name] = class extends (typeof original === "function" ? original : Object) { static prepareStackTrace = collect; static get [Symbol.species]() { visit(this, "species this"); return this; } static [Symbol.hasInstance](value) { visit(value, "hasInstance"); return false; } constructor(...args) { super(...args); visit(this, "new this"); for (const arg of args) visit(arg, "new argument"); } }; },
        proxy: () => { G[name] = spy(name); if (isObject(original) && original !== G) Object.setPrototypeOf(original, spy("prototype of " + name)); },
      };
      const path = "${mutation} " + name; const proto = isObject(original) && original !== G ? safeProto(original) : null;
      attempt(mutate.${mutation}, path);
      provoke(path, QUICK_NAMES); act(path); provokeDeep(path, QUICK_OVERFLOWS);
      if (looked.test(name)) { provokeLater(path, ["fail", "digest", "importNode", "any", "asyncThrow", "deepAsync", "thenable"].filter(() => calls++ < 150)); }
      await null;
      if (before.configurable) define(G, name, before); else if (before.writable) G[name] = original;
      attempt(() => { if (isObject(original) && protoOf(original) !== proto) apply(Reflect.setPrototypeOf, Reflect, [original, proto]); }, path);
      attempt(() => { if (protoOf(G) !== OP) apply(setProto, null, [G, OP]); }, path);
      drain();
    }
    return await done();`;
}

/** Puts accessors that show what they are given in the way of what the engine and the realm look up. */
export function renderPoisonWalk(): string {
  return `${HEAD}
    for (const [owner, where] of [[OP, "Object"], [Array.prototype, "Array"], [Function.prototype, "Function"], [NativeError.prototype, "Error"], [NativePromise.prototype, "Promise"], [NativeError, "Error constructor"], [NativePromise, "Promise constructor"], [RegExp.prototype, "RegExp"], [Map.prototype, "Map"], [String.prototype, "String"]]) {
      for (const name of ["0", "1", "value", "get", "set", "done", "next", "then", "catch", "finally", "constructor", "name", "message", "stack", "cause", "errors", "code", "toJSON", "toString", "valueOf", "prepareStackTrace", "stackTraceLimit", "captureStackTrace", "nodeType", "data", "host", "call", "apply", "bind", "exec", "length", "with", "type", "call_site_evals", "ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING", Symbol.iterator, Symbol.asyncIterator, Symbol.species, Symbol.hasInstance, Symbol.toPrimitive, Symbol.toStringTag, Symbol.dispose, Symbol.isConcatSpreadable, Symbol.unscopables]) {
        const before = describe(owner, name); const path = "poison " + where + "." + nameOf(name);
        if (before !== undefined && !before.configurable) continue;
        let busy = false;
        const accessor = { configurable: true, get() { if (!busy) { busy = true; visit(this, path + " this"); busy = false; } return before === undefined ? undefined : before.get === undefined ? before.value : apply(before.get, this, []); }, set(value) { if (!busy) { busy = true; visit(this, path + " this"); visit(value, path + " value"); busy = false; } define(this, name, { value, writable: true, enumerable: true, configurable: true }); } };
        if (!define(owner, name, accessor)) continue;
        act(path, ["url", "urlHref", "digest", "log", "timer", "stack", "capture", "importing", "clone", "errorJson", "callFails", "evalText"].filter((one) => one !== "callFails" || calls < 50));
        attempt(ERRORS.nullMember, path); attempt(ERRORS.json, path); attempt(OVERFLOWS.plain, path);
        await null;
        if (before === undefined) remove(owner, name); else define(owner, name, before);
      }
      drain();
    }
    return await done();`;
}

/** Calls host functions at each of the last 100 frames before the stack ends, with frames of several sizes. */
export function renderStackWalk(sizes: readonly number[], part: number, parts: number): string {
  const dives = sizes.map((size) => {
    const names = Array.from({ length: size }, (_, index) => `v${index}`);
    const locals = names.map((name, index) => `let ${name} = ${index};`).join(" ");
    return `DIVES[${size}] = (go) => { ${locals} let depth = 0; try { depth = DIVES[${size}](go); } catch (error) { if (count < 20000) KEPT[count++] = error; } if (depth < 100) { try { const given = go(${
      names.join(", ")
    }); if (given !== undefined && count < 20000) KEPT[count++] = given; } catch (error) { if (count < 20000) KEPT[count++] = error; } } return depth + 1; };`;
  });
  return `${HEAD}
    const DIVES = [], KEPT = new Array(20000).fill(null); let count = 0, last = null;
    const isOwnError = (value) => typeof value === "object" && typeof value.stack === "string";
    ${dives.join("\n")}
    act("warm"); await sleep(1);
    const named = ownKeys(ACTS).filter((_, index) => index % ${parts} === ${part});
    for (const name of named) for (const size of ${JSON.stringify(sizes)}) {
      calls = Math.max(calls, 0); count = 0; if (calls > 30) calls = 50;
      attempt(() => DIVES[size](ACTS[name]), name + " in the last frame of size " + size);
      const path = name + " in one of the last frames of size " + size;
      let plain = 0;
      for (let at = 0; at < count; at++) { const value = KEPT[at]; KEPT[at] = null; if (value === last || !isObject(value)) continue; last = value; if (isPromise(value)) attemptAsync(() => value, path); else if (isOwnError(value)) visitError(value, path); else if (plain++ < 60) visit(value, path); }
      drain();
    }
    return await done();`;
}

/** What {@linkcode renderOutcomeWalk} returns. */
export interface OutcomeReport {
  /** Acts that were refused where the stack ends. */
  readonly refused: number;
  /** Acts that were done there. */
  readonly done: number;
  /** Lines that the console has to have, in order; the milliseconds of a timer are `N`. */
  readonly lines: readonly string[];
  /** What was said and was not so, with the names of the acts. */
  readonly problems: readonly string[];
}

/** Each act is done in all of the last frames before the stack ends, then in every 48th, up to where there is room. */
const LAST_FRAMES = 60;
const FRAME_STEP = 48;
const FARTHEST_FRAME = 540;
const SLOTS = LAST_FRAMES + (FARTHEST_FRAME - LAST_FRAMES) / FRAME_STEP;

/** Does each act whose name matches near the end of the stack, and compares what was said with what happened. */
export function renderOutcomeWalk(sizes: readonly number[], names: RegExp): string {
  const dives = sizes.map((size) => {
    const locals = Array.from({ length: size }, (_, index) => `v${index}`);
    return `DIVES[${size}] = () => {
      let ${[...locals.map((name, index) => `${name} = ${index}`), "depth = 0"].join(", ")};
      try { depth = DIVES[${size}](); } catch (error) { depth = 0; if (first) { first = false; ends[0] = error; } }
      const at = depth < ${LAST_FRAMES} ? depth : ${LAST_FRAMES} + (depth - ${LAST_FRAMES}) / ${FRAME_STEP};
      if (depth < ${FARTHEST_FRAME} && at % 1 === 0) { try { given[at] = go(subjects[at]); state[at] = 1; } catch (error) { given[at] = error; state[at] = 2; } }
      return depth + 1 + (${["0", ...locals].join(" + ")}) * 0;
    };`;
  });
  return `${OUTCOMES}
    const DIVES = [], subjects = new Array(${SLOTS}).fill(null), given = new Array(${SLOTS}).fill(null), state = new Array(${SLOTS}).fill(0), ends = [null];
    const problems = []; let refused = 0, done = 0, go = null, first = true;
    const tell = (text) => { if (text !== "" && problems.length < 40 && !problems.includes(text)) problems.push(text); };
    ${dives.join("\n")}
    for (const name of Object.keys(OUTCOMES).filter((name) => ${names}.test(name))) {
      const act = OUTCOMES[name]; go = act.go;
      const warm = act.make(); const warmGiven = go(warm); if (act.line) lines.push(act.line(warm)); if (act.later) await sleep(5); tell(await act.look(warm, warmGiven, false) && name + " does not work at all");
      for (const size of ${JSON.stringify(sizes)}) {
        for (let at = 0; at < ${SLOTS}; at++) { subjects[at] = act.make(); given[at] = null; state[at] = 0; }
        first = true; DIVES[size]();
        if (!(ends[0] instanceof NativeRangeError)) tell(name + ": the stack ended with " + ends[0]);
        for (let at = 0; at < ${SLOTS}; at++) if (given[at] instanceof Promise) given[at].then(() => {}, () => {});
        if (act.later) await sleep(5);
        for (let at = 0; at < ${SLOTS}; at++) if (act.line && state[at] === 1) lines.push(act.line(subjects[at]));
        for (let at = 0; at < ${SLOTS}; at++) {
          if (state[at] === 0) continue;
          let isRefused = state[at] === 2; const error = given[at];
          if (isRefused && !(error instanceof NativeRangeError && error.constructor === NativeRangeError)) tell(name + " was refused with " + error);
          let problem;
          try { problem = await act.look(subjects[at], given[at], isRefused); } catch (error) {
            // The promise that it gave was refused.
            if (!(error instanceof NativeRangeError)) tell(name + " was refused later with " + error);
            isRefused = true; problem = "";
          }
          if (isRefused) refused++; else done++;
          if (problem !== "") tell(name + (isRefused ? " was refused, and " : " was done, and ") + problem);
          subjects[at] = given[at] = null;
        }
      }
    }
    return { refused, done, lines, problems };`;
}
