import type { Realm } from "./realm.ts";

/** `AbortController`, `AbortSignal`, `Event`, `EventTarget` and `DOMException`, made at their first use. */
export function installAbort(realm: Realm): void {
  "use strict";
  const { p } = realm;
  type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

  class DOMException extends p.Error {
    readonly #name: string;
    constructor(message: unknown = "", name: unknown = "Error") {
      super("" + message);
      this.#name = "" + name;
    }
    override get name(): string {
      return this.#name;
    }
    get code(): number {
      return this.#name === "AbortError" ? 20 : this.#name === "TimeoutError" ? 23 : 0;
    }
  }

  class Event {
    readonly type: string;
    readonly cancelable: boolean;
    target: unknown = null;
    defaultPrevented = false;
    constructor(type: unknown, options: { cancelable?: boolean } = {}) {
      this.type = "" + type;
      this.cancelable = options.cancelable === true;
    }
    preventDefault(): void {
      if (this.cancelable) this.defaultPrevented = true;
    }
  }

  let dispatch!: (
    target: EventTarget,
    event: Event,
    first: ((event: Event) => void) | null,
  ) => void;

  class EventTarget {
    #listeners: { type: string; listener: Listener; once: boolean }[] = [];
    addEventListener(type: unknown, listener: Listener | null, options?: unknown): void {
      if (listener === null || listener === undefined) return;
      const name = "" + type;
      if (this.#listeners.some((entry) => entry.type === name && entry.listener === listener)) {
        return;
      }
      const once = typeof options === "object" && options !== null &&
        (options as { once?: unknown }).once === true;
      this.#listeners.push({ type: name, listener, once });
    }
    removeEventListener(type: unknown, listener: Listener | null): void {
      this.#listeners = this.#listeners.filter((entry) =>
        entry.type !== "" + type || entry.listener !== listener
      );
    }
    dispatchEvent(event: Event): boolean {
      realm.needStack();
      dispatch(this, event, null);
      return !event.defaultPrevented;
    }
    /** Calls all listeners, then throws the first error that one of them threw. */
    static {
      dispatch = (target, event, first) => {
        event.target = target;
        let thrown: { readonly error: unknown } | null = null;
        try {
          first?.call(target, event);
        } catch (error) {
          thrown = { error };
        }
        for (const entry of [...target.#listeners]) {
          if (entry.type !== event.type) continue;
          try {
            if (entry.once) target.removeEventListener(entry.type, entry.listener);
            if (typeof entry.listener === "function") entry.listener.call(target, event);
            else entry.listener.handleEvent(event);
          } catch (error) {
            thrown ??= { error };
          }
        }
        if (thrown !== null) throw thrown.error;
      };
    }
  }

  const construct = p.Object("construct signals") as object;
  let abort!: (signal: AbortSignal, reason: unknown) => void;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason: unknown = undefined;
    onabort: ((event: Event) => void) | null = null;
    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        realm.needStack();
        signal.#aborted = true;
        signal.#reason = reason === undefined
          ? new DOMException("This operation was aborted", "AbortError")
          : reason;
        const event = new Event("abort");
        dispatch(signal, event, signal.onabort);
      };
    }
    constructor(key?: unknown) {
      if (key !== construct) throw new p.TypeError("Use new AbortController().signal");
      super();
    }
    get aborted(): boolean {
      return this.#aborted;
    }
    get reason(): unknown {
      return this.#reason;
    }
    throwIfAborted(): void {
      if (this.#aborted) throw this.#reason;
    }
    static abort(reason?: unknown): AbortSignal {
      const signal = new AbortSignal(construct);
      abort(signal, reason);
      return signal;
    }
    static timeout(ms: number): AbortSignal {
      const signal = new AbortSignal(construct);
      const start = realm.global.setTimeout as (run: () => void, ms: number) => number;
      start(() => abort(signal, new DOMException("The operation timed out", "TimeoutError")), ms);
      return signal;
    }
    static any(signals: Iterable<AbortSignal>): AbortSignal {
      const signal = new AbortSignal(construct);
      for (const source of signals) {
        if (source.aborted) abort(signal, source.reason);
        else source.addEventListener("abort", () => abort(signal, source.reason), { once: true });
      }
      return signal;
    }
  }

  class AbortController {
    readonly signal = new AbortSignal(construct);
    abort(reason?: unknown): void {
      abort(this.signal, reason);
    }
  }

  realm.define("DOMException", DOMException);
  realm.define("Event", Event);
  realm.define("EventTarget", EventTarget);
  realm.define("AbortSignal", AbortSignal);
  realm.define("AbortController", AbortController);
}
