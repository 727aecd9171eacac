import type { ProgramForm } from "../rpc/protocol.ts";
import { blankRange, blankWrapping, fenceProblem } from "./blank_wrapping.ts";
import { entryFunction, exportedFunctions, type Uncalled } from "./entry_function.ts";
import { scanTokens, type Token } from "./scan_tokens.ts";
import { expressionStart, statementStarts } from "./top_statements.ts";

export type Forms =
  /** Best first: the first form that parses is the program. */
  | { readonly ok: true; readonly forms: readonly ProgramForm[] }
  | {
    readonly ok: false;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };

/**
 * Finds how a program gives its result: `return`, a trailing expression (also an arrow function, which
 * is then called), `export default`, or a function that it declares but does not call.
 *
 * @param code TypeScript as received; text around the program (`blankWrapping`) and type imports
 * are replaced by spaces.
 */
export function programForms(code: string): Forms {
  const whole = blankWrapping(code);
  const fences = fenceProblem(whole);
  if (fences !== null) return { ok: false, message: fences, line: 1, column: 1 };
  const scan = scanTokens(whole);
  if (!scan.ok) return { ok: false, message: scan.message, ...placeOf(whole, scan.offset) };
  const { text, tokens } = blankExports(blankTypeImports(whole, scan.tokens));
  const exported = exportDefault(text, tokens);
  if (exported !== null) {
    return { ok: true, forms: [wrap(exported, "let $out;", "\nreturn $out;", [])] };
  }
  const plain = wrap(text, "", "", []);
  const starts = statementStarts(tokens);
  const start = expressionStart(tokens, starts.at(-1) ?? 0);
  if (start === null) {
    const entry = entryFunction(tokens, starts);
    if (entry === null) return { ok: true, forms: [plain] };
    if ("uncalled" in entry) {
      return { ok: false, message: nothingRuns(entry), line: 1, column: 1 };
    }
    return { ok: true, forms: [wrap(text, "", `\nreturn ${entry.name}();`, []), plain] };
  }
  const insert = "return ";
  const place = placeOf(text, start);
  const returning = wrap(text.slice(0, start) + insert + text.slice(start), "", "", [
    [place.line, place.column, insert.length],
  ]);
  return { ok: true, forms: [returning, plain] };
}

/** Start of the message for a program that calls none of its functions. */
export const NOTHING_RUNS = "Nothing runs";

function nothingRuns({ uncalled, example }: Uncalled): string {
  const list = uncalled.slice(0, NAMES_SHOWN_MAX).join(", ") +
    (uncalled.length > NAMES_SHOWN_MAX ? ", …" : "");
  return `${NOTHING_RUNS}: the program declares ${list} and calls none of them; ` +
    `call one at the end, such as return await ${example}`;
}

const NAMES_SHOWN_MAX = 5;

/** 1-based line and column of an offset. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

function wrap(
  text: string,
  head: string,
  tail: string,
  edits: readonly (readonly [number, number, number])[],
): ProgramForm {
  const prefix = `(async () => {"use strict";${head}`;
  return {
    text: `${prefix}${text}\n${tail}})`,
    edits: [
      [1, 1, prefix.length],
      ...edits.map(([line, column, columns]) =>
        [line, line === 1 ? column + prefix.length : column, columns] as const
      ),
    ],
    lines: placeOf(text, text.length).line,
  };
}

interface Scanned {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** `async function main` for `export async function main`. */
function blankExports({ text, tokens }: Scanned): Scanned {
  if (!tokens.some((token) => token.text === "export")) return { text, tokens };
  const exports = new Set(exportedFunctions(tokens));
  let blanked = "";
  let done = 0;
  for (const { start, end } of exports) {
    blanked += text.slice(done, start) + " ".repeat(end - start);
    done = end;
  }
  return {
    text: blanked + text.slice(done),
    tokens: tokens.filter((token) => !exports.has(token)),
  };
}

/** Replaces `import type … from "…"` by spaces, because a program runs without its types. */
function blankTypeImports(text: string, tokens: readonly Token[]): Scanned {
  const kept: Token[] = [];
  let blanked = "";
  let done = 0;
  for (let index = 0; index < tokens.length; index++) {
    const last = endOfTypeImport(tokens, index);
    if (last === null) {
      kept.push(tokens[index]!);
      continue;
    }
    const { start } = tokens[index]!;
    const { end } = tokens[last]!;
    blanked += text.slice(done, start) + blankRange(text.slice(start, end), 0, end - start);
    done = end;
    index = last;
  }
  return { text: blanked + text.slice(done), tokens: kept };
}

/** Index of the last token of a type import that begins at `index`; null if there is none. */
function endOfTypeImport(tokens: readonly Token[], index: number): number | null {
  if (tokens[index]!.depth !== 0 || tokens[index]!.text !== "import") return null;
  if (tokens[index + 1]?.text !== "type") return null;
  // `import type from "…"` imports a value with the name `type`.
  for (let at = index + 3; at < tokens.length - 1; at++) {
    const { depth, text } = tokens[at]!;
    if (depth === 0 && text === "from") return tokens[at + 1]!.type === "string" ? at + 1 : null;
    if (text === "import" || text === ";") return null;
  }
  return null;
}

/** `export default X` as an assignment of the same length, or null. */
function exportDefault(text: string, tokens: readonly Token[]): string | null {
  for (let index = 0; index + 2 < tokens.length; index++) {
    const token = tokens[index]!;
    const next = tokens[index + 1]!;
    if (token.depth !== 0 || token.text !== "export" || next.text !== "default") continue;
    return text.slice(0, token.start) + "      " + text.slice(token.end, next.start) + "$out = " +
      text.slice(next.end);
  }
  return null;
}
