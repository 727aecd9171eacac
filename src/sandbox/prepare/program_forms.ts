import type { ProgramForm } from "../../rpc/protocol.ts";
import { scanTokens, type Token } from "./scan_tokens.ts";

export type Forms =
  /** Best first; the first that parses is meant. */
  | { readonly ok: true; readonly forms: readonly ProgramForm[] }
  | {
    readonly ok: false;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };

/**
 * Finds how a program gives its result: `return`, a trailing expression (also an arrow function, which
 * is then called), or `export default`.
 *
 * @param code TypeScript as received; a Markdown fence around it, a `#!` line and type imports are
 * replaced by spaces.
 */
export function programForms(code: string): Forms {
  const whole = blankFence(code);
  const scan = scanTokens(whole);
  if (!scan.ok) return { ok: false, message: scan.message, ...placeOf(whole, scan.offset) };
  const { text, tokens } = blankTypeImports(whole, scan.tokens);
  const exported = exportDefault(text, tokens);
  if (exported !== null) {
    return { ok: true, forms: [wrap(exported, "let $out;", "\nreturn $out;", [])] };
  }
  const plain = wrap(text, "", "", []);
  const called = lonelyFunction(tokens);
  if (called !== null) {
    return { ok: true, forms: [wrap(text, "", `\nreturn ${called}();`, []), plain] };
  }
  const start = trailingExpression(tokens);
  if (start === null) return { ok: true, forms: [plain] };
  const insert = "return ";
  const place = placeOf(text, start);
  const returning = wrap(text.slice(0, start) + insert + text.slice(start), "", "", [
    [place.line, place.column, insert.length],
  ]);
  return { ok: true, forms: [returning, plain] };
}

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

/** Spaces instead of a Markdown fence and of a `#!` line, so that lines and columns stay. */
function blankFence(code: string): string {
  const opening = /^\s*(```|~~~)[^\n`]*\n/.exec(code);
  const closing = code.trimEnd().length - 3;
  let text = code;
  if (
    opening !== null && closing >= opening[0].length && code.startsWith(opening[1]!, closing)
  ) {
    text = blank(opening[0]) + code.slice(opening[0].length, closing) + blank(code.slice(closing));
  }
  const hashbang = /^\s*#!.*/.exec(text);
  return hashbang === null ? text : blank(hashbang[0]) + text.slice(hashbang[0].length);
}

/** Spaces instead of `import type … from "…"`: whoever runs the program needs no types. */
function blankTypeImports(
  text: string,
  tokens: readonly Token[],
): { readonly text: string; readonly tokens: readonly Token[] } {
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
    blanked += text.slice(done, start) + blank(text.slice(start, end));
    done = end;
    index = last;
  }
  return { text: blanked + text.slice(done), tokens: kept };
}

/** Index of the last token of the type import that begins at `index`; null if none does. */
function endOfTypeImport(tokens: readonly Token[], index: number): number | null {
  if (tokens[index]!.depth !== 0 || tokens[index]!.text !== "import") return null;
  if (tokens[index + 1]?.text !== "type") return null;
  // `import type from "…"` takes a value of that name.
  for (let at = index + 3; at < tokens.length - 1; at++) {
    const { depth, text } = tokens[at]!;
    if (depth === 0 && text === "from") return tokens[at + 1]!.type === "string" ? at + 1 : null;
    if (text === "import" || text === ";") return null;
  }
  return null;
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
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

/** The name of the function that is the whole program and that nobody calls, or null. */
function lonelyFunction(tokens: readonly Token[]): string | null {
  const at = tokens[0]?.text === "async" ? 1 : 0;
  if (tokens[at]?.text !== "function" || tokens[at + 1]?.type !== "word") return null;
  const body = tokens.findIndex((token) => token.depth === 0 && token.text === "{");
  const end = tokens.findIndex((token, index) =>
    index > body && token.depth === 0 && token.text === "}"
  );
  return body >= 0 && end === tokens.length - 1 ? tokens[at + 1]!.text : null;
}

/** Words that begin a statement which is not an expression. */
const STATEMENT_WORDS = new Set([
  "const",
  "let",
  "var",
  "if",
  "for",
  "while",
  "do",
  "return",
  "throw",
  "function",
  "class",
  "switch",
  "try",
  "import",
  "export",
  "break",
  "continue",
  "debugger",
  "using",
  "enum",
  "interface",
  "type",
  "namespace",
  "declare",
  "abstract",
  "module",
  "with",
  "else",
  "catch",
  "finally",
  "case",
  "default",
]);
/** Words that need something after them: no statement ends there. */
const OPEN_WORDS = new Set([
  "await",
  "typeof",
  "new",
  "void",
  "delete",
  "in",
  "of",
  "instanceof",
  "extends",
  "else",
  "do",
  "as",
  "satisfies",
  "const",
  "let",
  "var",
  "async",
  "case",
  "default",
  "is",
  "keyof",
]);

/** Offset of the last top-level statement, if it may be an expression; else null. */
function trailingExpression(tokens: readonly Token[]): number | null {
  let first = 0;
  for (let index = 1; index < tokens.length; index++) {
    if (startsStatement(tokens, first, index)) first = index;
  }
  const token = tokens[first];
  if (token === undefined || token.depth !== 0) return null;
  if (token.text === ";" || token.text === "{") return null;
  if (token.type === "word") {
    if (token.text === "async" && tokens[first + 1]?.text === "function") return null;
    if (STATEMENT_WORDS.has(token.text)) {
      // `type`, `module` … are ordinary names as well.
      const soft = /^(type|module|namespace|declare|abstract|using|interface)$/.test(token.text);
      if (!soft || tokens[first + 1]?.type === "word") return null;
    }
    if (tokens[first + 1]?.text === ":") return null;
  }
  return token.start;
}

/** True if a new top-level statement begins at `index`; `first` is where the current one began. */
function startsStatement(tokens: readonly Token[], first: number, index: number): boolean {
  const token = tokens[index]!;
  const previous = tokens[index - 1]!;
  if (token.depth !== 0 || token.text === ";") return false;
  if (previous.text === ";" && previous.depth === 0) return true;
  if (previous.text === "}" && previous.depth === 0 && closesBlock(tokens, first, index - 1)) {
    return !/^(else|catch|finally|while)$/.test(token.text) ||
      (token.text === "while" && tokens[first]?.text !== "do");
  }
  if (!token.afterLineBreak) return false;
  if (token.type === "template") return false;
  if (token.type === "punctuator" && !/^(\+\+|--|!|~|\{|@|#)$/.test(token.text)) return false;
  if (token.type === "word" && /^(in|instanceof|of|as|satisfies|extends)$/.test(token.text)) {
    return false;
  }
  if (previous.type === "punctuator" && !/^[)\]}]$|^(\+\+|--)$/.test(previous.text)) return false;
  if (previous.type === "word" && OPEN_WORDS.has(previous.text)) return false;
  if (previous.text === ")" && closesHeader(tokens, index - 1)) return false;
  return true;
}

/** True if the parenthesis at `index` ends the head of an `if`, `for`, `while` or `with`. */
function closesHeader(tokens: readonly Token[], index: number): boolean {
  let open = index - 1;
  while (
    open >= 0 && !(tokens[open]!.depth === tokens[index]!.depth && tokens[open]!.text === "(")
  ) {
    open--;
  }
  const before = tokens[open - 1]?.text ?? "";
  if (before === "await" && tokens[open - 2]?.text === "for") return true;
  return /^(if|for|while|with|switch|catch)$/.test(before) && tokens[open - 2]?.text !== ".";
}

/** True if the brace at `index` ends a block, function, class or the like that is a whole statement. */
function closesBlock(tokens: readonly Token[], first: number, index: number): boolean {
  const head = tokens[first]!;
  if (head.text === "{") return true;
  const word = head.text === "async" || head.text === "export"
    ? tokens[first + 1]!.text
    : head.text;
  if (
    !/^(if|for|while|do|switch|try|function|class|else|namespace|enum|interface|abstract|declare)$/
      .test(word)
  ) {
    return false;
  }
  if (
    /^(function|class|switch|namespace|enum|interface|abstract|declare|try|do|else)$/.test(word)
  ) {
    return true;
  }
  // `if (x) y = {}`: the brace belongs to an expression unless it follows the header directly.
  let open = index - 1;
  while (
    open >= 0 && !(tokens[open]!.depth === tokens[index]!.depth && tokens[open]!.text === "{")
  ) {
    open--;
  }
  const before = tokens[open - 1];
  return before !== undefined &&
    (/^(else|try|finally|do)$/.test(before.text) ||
      (before.text === ")" && closesHeader(tokens, open - 1)));
}
