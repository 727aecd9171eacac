import type { ErrorMark, Realm } from "./realm.ts";

/** Errors of the realm: each has a remedy, and its stack shows only the program's own lines. */
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
  const FRAMES_MAX = 12;
  const REASONS_MAX = 5;
  interface CallSite {
    getFileName(): string | null;
    getLineNumber(): number | null;
    getColumnNumber(): number | null;
    getFunctionName(): string | null;
    isAsync(): boolean;
    isConstructor(): boolean;
  }
  // Few digits: a program can set the text of a stack, and its numbers must stay exact.
  const place = new p.RegExp("program\\.ts:(\\d{1,7}):(\\d{1,7})(?!\\d)");

  realm.failure = (type, message, mark: ErrorMark) => {
    const error = new Types[type](message);
    p.weakSet(realm.marks, error, mark);
    return error;
  };

  let terminating = false;
  realm.terminate = (code, message, hint) => {
    realm.needStack();
    const error = realm.failure("RangeError", message, { hint, code, call: null });
    // Describing the error may run code of the program, which may exceed the limit again.
    if (!realm.finished && !terminating) {
      terminating = true;
      try {
        host.send("f", 0, p.stringify(describeFailure(error)), leftovers(), "");
        realm.finished = true;
      } finally {
        terminating = false;
      }
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
    for (let index = 0; index < lines.length && frames.length < FRAMES_MAX; index++) {
      const line = lines[index]!;
      if (p.startsWith(line, "    at ") && exec(place, line) !== null) push(frames, line);
    }
    return frames.length === 0 ? "" : "\n" + join(frames, "\n");
  };

  /**
   * Makes the text of every `stack`.
   *
   * Call sites are objects of the Worker's realm, like the errors that their methods throw at the
   * stack limit: neither may leave this function.
   */
  function formatStack(error: unknown, sites: readonly CallSite[]): string {
    try {
      return stackText(error, sites);
    } catch {
      return "Error";
    }
  }

  /** The program's own frames, with their original places. */
  function stackText(error: unknown, sites: readonly CallSite[]): string {
    const lines: string[] = [];
    for (let index = 0; index < sites.length && lines.length < FRAMES_MAX; index++) {
      const site = sites[index]!;
      if (site.getFileName() !== "program.ts") continue;
      const original = originalPosition(site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
      const at = "program.ts:" + original.line + ":" + original.column;
      const name = site.getFunctionName();
      const called = (site.isAsync() ? "async " : "") + (site.isConstructor() ? "new " : "");
      push(
        lines,
        "    at " + called + (name === null || name === "" ? at : name + " (" + at + ")"),
      );
    }
    const head = headOf(error);
    return lines.length === 0 ? head : head + "\n" + join(lines, "\n");
  }

  function headOf(error: unknown): string {
    try {
      const { name, message } = error as Error;
      return message === "" ? "" + name : "" + name + ": " + slice("" + message, 0, 4_000);
    } catch {
      return "Error";
    }
  }

  /** Converts a place in the compiled text to the place in the caller's own code. */
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

  /** The reasons of an AggregateError. */
  function reasonsOf(error: Error & { errors?: unknown }): string {
    const { errors } = error;
    if (!p.isArray(errors)) return "";
    const reasons: string[] = [];
    for (let index = 0; index < errors.length && index < REASONS_MAX; index++) {
      const reason: unknown = errors[index];
      push(reasons, reason instanceof p.Error ? "" + reason.message : realm.describe(reason));
    }
    return reasons.length === 0 ? "" : ": " + join(reasons, "; ");
  }

  function causeOf(error: Error): string {
    const { cause } = error;
    return cause === undefined ? "" : "\nCaused by " + realm.describe(cause);
  }

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
        message = "" + thrown.message + reasonsOf(thrown);
        frames = realm.programFrames(thrown) + causeOf(thrown);
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
      hint: mark === undefined ? "" : slice(mark.hint, 0, 1_000),
    };
  }
  realm.describeFailure = describeFailure;

  const lock = (key: string, value: unknown) =>
    p.defineProperty(p.Error, key, {
      __proto__: null,
      value,
      writable: false,
      configurable: false,
    } as PropertyDescriptor);
  // The runtime passes call sites, objects of the Worker's realm, to the method `prepareStackTrace`
  // of the global `Error`. Neither property can be replaced, so it always calls this function.
  lock("prepareStackTrace", formatStack);
  lock("stackTraceLimit", 20);
}
