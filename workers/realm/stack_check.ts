import type { Primordials } from "./realm.ts";

/**
 * Makes the functions that check for room on the stack before an operation.
 *
 * An operation that runs out of stack half way has changed half of its state. In some places the
 * runtime drops that error (the setters of its `URL`), and the program never learns of it. After
 * this check an operation either has enough room, or this realm's RangeError refuses it before it
 * changes anything.
 *
 * The engine checks that all arguments fit on the stack before it makes a call. So passing many
 * arguments checks for as many machine words, with the same result in interpreted and in compiled
 * code.
 */
export function createStackCheck(p: Primordials): { needStack(): void; needHostStack(): void } {
  "use strict";
  // 20 KB for an operation of a part, and 8 KB of these for each call of the Worker that it makes:
  // a frame has some hundred bytes. A check costs 2 to 5 µs.
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
