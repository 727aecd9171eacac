import type { Primordials } from "./realm.ts";

/**
 * Makes the function that asks for room on the stack before something is done.
 *
 * An operation that runs out of stack half way has changed half of its state, and the code of the runtime
 * drops such an error in places (the setters of its `URL`), so that nobody hears of it. An operation that
 * asks first either has the room or is refused with the RangeError of this realm before anything happened.
 *
 * The engine checks that all arguments of a call fit before it makes the call: passing many is a check of
 * as many machine words, with the same result interpreted and as machine code.
 */
export function createStackCheck(p: Primordials): { needStack(): void; needHostStack(): void } {
  "use strict";
  // 20 KB for an operation of a part, and 8 KB of these for each call of the Worker that it makes: frames
  // have some hundred bytes. To ask costs 2 to 5 µs.
  const PART_WORDS = 2_560;
  const HOST_WORDS = 1_024;
  const nothing = () => {};
  // No program has run yet, so the method is the engine's own.
  const part = new p.Array<undefined>(PART_WORDS).fill(undefined);
  const host = new p.Array<undefined>(HOST_WORDS).fill(undefined);
  return {
    needStack: () => void p.apply(nothing, undefined, part),
    needHostStack: () => void p.apply(nothing, undefined, host),
  };
}
