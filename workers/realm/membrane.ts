import type { Primordials, RealmHost } from "./realm.ts";

/** The types that a function of the Worker takes, in order, and the type that it returns. */
interface Crossing {
  readonly takes: readonly string[];
  readonly gives: string;
}

/**
 * Puts every function of the Worker behind one wrapper, which is a function of the program's realm.
 *
 * Only strings, numbers and booleans pass, in both directions. The wrapper drops every error of a
 * function of the Worker unread, even the one that the engine makes in the Worker's realm when the
 * stack ends before the function's first line. The caller gets a RangeError of the program's realm
 * instead: functions of the Worker throw only when stack or memory ends. A function that throws has
 * changed nothing: the wrapper first checks for stack for everything that the function calls.
 */
export function wrapHost(
  p: Primordials,
  host: RealmHost,
  needHostStack: () => void,
): RealmHost {
  "use strict";
  const crossings: { readonly [name in keyof RealmHost]: Crossing } = {
    send: { takes: ["string", "number", "string", "string", "string"], gives: "boolean" },
    startTimer: { takes: ["number", "number"], gives: "undefined" },
    stopTimer: { takes: ["number"], gives: "undefined" },
    monotonicMs: { takes: [], gives: "number" },
    randomBytes: { takes: ["number"], gives: "string" },
    digest: { takes: ["number", "string", "string"], gives: "undefined" },
    url: { takes: ["string", "string", "string", "string"], gives: "string" },
    load: { takes: ["string"], gives: "boolean" },
  };
  const { RangeError, TypeError } = p;
  const wrapped = p.create(null);
  const names = p.ownKeys(crossings);
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as keyof RealmHost;
    wrapped[name] = wrap(host[name] as (...values: unknown[]) => unknown, crossings[name]);
  }
  return p.freeze(wrapped) as RealmHost;

  function wrap(call: (...values: unknown[]) => unknown, crossing: Crossing) {
    const { takes } = crossing;
    return (a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown): unknown => {
      const count = takes.length;
      if (
        (count > 0 && typeof a !== takes[0]) || (count > 1 && typeof b !== takes[1]) ||
        (count > 2 && typeof c !== takes[2]) || (count > 3 && typeof d !== takes[3]) ||
        (count > 4 && typeof e !== takes[4])
      ) throw new TypeError("Only texts and numbers can leave the realm");
      needHostStack();
      let given: unknown;
      try {
        given = call(a, b, c, d, e);
      } catch {
        throw new RangeError("Maximum call stack size exceeded");
      }
      const type = typeof given;
      if (type !== crossing.gives) {
        throw new TypeError("Only texts and numbers can enter the realm");
      }
      return given;
    };
  }
}
