import type { ProgramForm } from "../src/rpc/protocol.ts";

/** A program as JavaScript, or why it is none. Lines and columns are those of the caller's own code. */
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
 * Takes the types off the first form that parses.
 *
 * The parser is native and aborts the whole process on deep nesting: this runs where that ends one
 * sandbox host and nothing else. Like all of the Worker it refers to nothing but its arguments.
 */
export function stripProgram(
  stripTypes: StripTypes,
  decodeBase64: (text: string) => string,
  forms: readonly ProgramForm[],
): StrippedProgram {
  let problem: StrippedProgram | null = null;
  for (const form of forms) {
    const stripped = stripForm(form);
    if (stripped.ok) return stripped;
    // The last form is the program as it was written: its message is the one that makes sense.
    problem = stripped;
  }
  return problem!;

  function stripForm(form: ProgramForm): StrippedProgram {
    try {
      const code = stripTypes(form.text, { mode: "strip" });
      return { ok: true, code, edits: form.edits, positions: null };
    } catch {
      // Enums, namespaces and parameter properties need a transformation, which also says what is wrong.
    }
    try {
      const code = stripTypes(form.text, { mode: "transform", sourceMap: true });
      const at = code.lastIndexOf("//# sourceMappingURL=");
      return {
        ok: true,
        code: code.slice(0, at),
        edits: form.edits,
        positions: decodePositions(decodeBase64(code.slice(code.indexOf(",", at) + 1).trim())),
      };
    } catch (error) {
      return describeProblem(form, error instanceof Error ? error.message : "It does not parse");
    }
  }

  /** @param text message, excerpt and place as the parser writes them */
  function describeProblem(form: ProgramForm, text: string): StrippedProgram {
    const place = /:(\d+):(\d+)\s*$/.exec(text);
    let line = place === null ? 1 : Number(place[1]);
    let column = place === null ? 1 : Number(place[2]);
    if (line > form.lines) {
      // A place in the wrapper's last lines: the program ends too early.
      line = form.lines;
      column = form.text.split("\n")[line - 1]!.length + 1;
    }
    const message = text.split("\n")[0]!.replace(/^(\w*Error: )+/, "").replace(/ at file:.*$/, "");
    let added = 0;
    for (const [editLine, editColumn, columns] of form.edits) {
      if (editLine === line && column > editColumn) added += Math.min(columns, column - editColumn);
    }
    return {
      ok: false,
      message: message.slice(0, 500),
      line,
      column: column - added,
    };
  }

  /** The mappings of a source map with one source. @see ECMA-426 */
  function decodePositions(map: string): number[][] {
    const { mappings } = JSON.parse(map) as { mappings: string };
    const positions: number[][] = [];
    let originalLine = 0;
    let originalColumn = 0;
    mappings.split(";").forEach((group, line) => {
      let column = 0;
      for (const segment of group.split(",")) {
        const numbers = decodeNumbers(segment);
        if (numbers.length < 4) continue;
        column += numbers[0]!;
        originalLine += numbers[2]!;
        originalColumn += numbers[3]!;
        positions.push([line + 1, column + 1, originalLine + 1, originalColumn + 1]);
      }
    });
    return positions;
  }

  /** Base 64 variable-length quantities. */
  function decodeNumbers(segment: string): number[] {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const numbers: number[] = [];
    let value = 0;
    let shift = 0;
    for (const char of segment) {
      const digit = digits.indexOf(char);
      value += (digit & 31) << shift;
      if (digit & 32) shift += 5;
      else {
        numbers.push(value & 1 ? -(value >> 1) : value >> 1);
        value = 0;
        shift = 0;
      }
    }
    return numbers;
  }
}
