import type { ErrorMark, Realm } from "./realm.ts";

/** Errors of the realm: made with a remedy, shown with the program's own lines only. */
export function installErrors(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  const { join, push, exec, slice, split } = p;
  const Types = {
    __proto__: null,
    Error: p.Error,
    TypeError: p.TypeError,
    RangeError: p.RangeError,
  };
  const place = new p.RegExp("program\\.ts:(\\d+):(\\d+)");

  realm.failure = (type, message, mark: ErrorMark) => {
    const error = new Types[type](message);
    p.weakSet(realm.marks, error, mark);
    return error;
  };

  realm.terminate = (code, message, hint) => {
    const error = realm.failure("RangeError", message, { hint, code, call: null });
    if (!realm.finished) {
      realm.finished = true;
      host.send("f", 0, p.stringify(describeFailure(error)), leftovers(), "");
    }
    throw error;
  };

  realm.programFrames = (error) => {
    const frames: string[] = [];
    let stack = "";
    try {
      stack = "" + error.stack;
    } catch {
      return "";
    }
    const lines = split(slice(stack, 0, 16_384), "\n");
    for (let index = 0; index < lines.length && frames.length < 12; index++) {
      const line = lines[index]!;
      const found = exec(place, line);
      if (found === null || p.indexOf(line, "    at ") !== 0) continue;
      const original = originalPosition(+found[1]!, +found[2]!);
      const before = slice(line, 0, found.index);
      const after = slice(line, found.index + found[0].length);
      push(frames, before + "program.ts:" + original.line + ":" + original.column + after);
    }
    return frames.length === 0 ? "" : "\n" + join(frames, "\n");
  };

  /** Where a place of the compiled text is in the caller's own code. */
  function originalPosition(line: number, column: number): { line: number; column: number } {
    const { positions, edits } = realm.places;
    if (positions !== null) {
      let low = 0;
      let high = positions.length - 1;
      let best = -1;
      while (low <= high) {
        const middle = (low + high) >> 1;
        const entry = positions[middle]!;
        if (entry[0]! < line || (entry[0] === line && entry[1]! <= column)) {
          best = middle;
          low = middle + 1;
        } else high = middle - 1;
      }
      if (best >= 0) {
        line = positions[best]![2]!;
        column = positions[best]![3]!;
      }
    }
    let added = 0;
    for (let index = 0; index < edits.length; index++) {
      const edit = edits[index]!;
      if (edit[0] !== line) continue;
      if (column >= edit[1]! + edit[2]!) added += edit[2]!;
      else if (column > edit[1]!) added += column - edit[1]!;
    }
    return { line, column: column - added };
  }

  function leftovers(): string {
    return '{"timers":' + realm.pendingTimers() + ',"calls":' + realm.pendingCalls() + "}";
  }
  realm.leftovers = leftovers;

  /** Plain facts about anything thrown. Reading them may run code of the program; it cannot throw. */
  function describeFailure(thrown: unknown): Record<string, unknown> {
    let name = "Error";
    let message = "";
    let frames = "";
    let mark: ErrorMark | undefined;
    try {
      if (thrown instanceof p.Error) {
        mark = p.weakGet(realm.marks, thrown);
        name = "" + thrown.name;
        message = "" + thrown.message;
        frames = realm.programFrames(thrown);
      } else message = realm.describe(thrown);
    } catch {
      message = "(the thrown value cannot be described)";
    }
    const found = exec(place, frames);
    return {
      __proto__: null,
      name: slice(name, 0, 100),
      message: slice(message, 0, 4_000),
      stack: slice(name + ": " + message, 0, 2_000) + slice(frames, 0, 6_000),
      line: found === null ? null : +found[1]!,
      column: found === null ? null : +found[2]!,
      call: mark === undefined ? null : mark.call,
      code: mark === undefined ? null : mark.code,
      hint: mark === undefined ? "" : mark.hint,
    };
  }
  realm.describeFailure = describeFailure;

  const NativeError = p.Error;
  // CallSite objects would show the functions and files of the Worker.
  p.defineProperty(NativeError, "prepareStackTrace", {
    __proto__: null,
    value: undefined,
    writable: false,
    configurable: false,
  } as PropertyDescriptor);
  p.defineProperty(NativeError, "stackTraceLimit", {
    __proto__: null,
    value: 20,
    writable: false,
    configurable: false,
  } as PropertyDescriptor);
}
