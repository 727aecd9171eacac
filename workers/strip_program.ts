import type { ProgramForm } from "../src/rpc/protocol.ts";
import type { Primordials } from "./realm/realm.ts";

/** A program as JavaScript, or why it does not parse. Lines and columns: in the caller's code. */
export type StrippedProgram =
  | {
    readonly ok: true;
    readonly code: string;
    readonly edits: ProgramForm["edits"];
    /** `[line, column, originalLine, originalColumn]` in order, 1-based; null if nothing moved. */
    readonly positions: readonly (readonly number[])[] | null;
  }
  | {
    readonly ok: false;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };

/** `stripTypeScriptTypes` of node:module. */
export type StripTypes = (
  code: string,
  options: { mode: "strip" | "transform"; sourceMap?: boolean },
) => string;

/**
 * Removes the types from the first form that parses.
 *
 * The parser is native and aborts the whole process on deep nesting, so this runs in a sandbox
 * host, where an abort ends only that host. Like all code of the Worker it refers only to its
 * arguments, and uses no method that an earlier program could have replaced.
 */
export function stripProgram(
  p: Primordials,
  stripTypes: StripTypes,
  decodeBase64: (text: string) => string,
  forms: readonly ProgramForm[],
): StrippedProgram {
  let problem: StrippedProgram | null = null;
  for (let index = 0; index < forms.length; index++) {
    const stripped = stripForm(forms[index]!);
    if (stripped.ok) return stripped;
    // The last form is the program as the caller wrote it: only its message fits that text.
    problem = stripped;
  }
  return problem!;

  function stripForm(form: ProgramForm): StrippedProgram {
    try {
      const code = stripTypes(form.text, { mode: "strip" });
      return { ok: true, code, edits: form.edits, positions: null };
    } catch {
      // Enums, namespaces and parameter properties need a transformation, which also reports
      // errors.
    }
    try {
      const code = stripTypes(form.text, { mode: "transform", sourceMap: true });
      const comment = "//# sourceMappingURL=";
      let at = -1;
      for (
        let next = p.indexOf(code, comment);
        next >= 0;
        next = p.indexOf(code, comment, at + 1)
      ) {
        at = next;
      }
      const map = decodeBase64(p.slice(code, p.indexOf(code, ",", at) + 1));
      return {
        ok: true,
        code: p.slice(code, 0, at),
        edits: form.edits,
        positions: decodePositions(map),
      };
    } catch (error) {
      return describeProblem(form, error instanceof p.Error ? error.message : "It does not parse");
    }
  }

  /** @param text message, excerpt and place as the parser writes them */
  function describeProblem(form: ProgramForm, text: string): StrippedProgram {
    const place = p.exec(/:(\d+):(\d+)\s*$/, text);
    let line = place === null ? 1 : +place[1]!;
    let column = place === null ? 1 : +place[2]!;
    if (line > form.lines) {
      // The place is in the wrapper's last lines: the program ends too early.
      line = form.lines;
      column = p.split(form.text, "\n")[line - 1]!.length + 1;
    }
    const message = p.exec(/^(?:\w*Error: )*(.*?)(?: at file:.*)?$/, p.split(text, "\n")[0]!)![1]!;
    let added = 0;
    for (let index = 0; index < form.edits.length; index++) {
      const edit = form.edits[index]!;
      if (edit[0] === line && column > edit[1]) added += p.min(edit[2], column - edit[1]);
    }
    return {
      ok: false,
      message: p.slice(message, 0, 500),
      line,
      column: column - added,
    };
  }

  /** The mappings of a source map with one source. @see ECMA-426 */
  function decodePositions(map: string): number[][] {
    const { mappings } = p.parse(map) as { mappings: string };
    const positions: number[][] = [];
    let originalLine = 0;
    let originalColumn = 0;
    const groups = p.split(mappings, ";");
    for (let line = 0; line < groups.length; line++) {
      let column = 0;
      const segments = p.split(groups[line]!, ",");
      for (let index = 0; index < segments.length; index++) {
        const numbers = decodeNumbers(segments[index]!);
        if (numbers.length < 4) continue;
        column += numbers[0]!;
        originalLine += numbers[2]!;
        originalColumn += numbers[3]!;
        p.push(positions, [line + 1, column + 1, originalLine + 1, originalColumn + 1]);
      }
    }
    return positions;
  }

  /** Base 64 variable-length quantities. */
  function decodeNumbers(segment: string): number[] {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const numbers: number[] = [];
    let value = 0;
    let shift = 0;
    for (let index = 0; index < segment.length; index++) {
      const digit = p.indexOf(digits, segment[index]!);
      value += (digit & 31) << shift;
      if (digit & 32) shift += 5;
      else {
        p.push(numbers, value & 1 ? -(value >> 1) : value >> 1);
        value = 0;
        shift = 0;
      }
    }
    return numbers;
  }
}
