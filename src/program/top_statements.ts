import type { Token } from "./scan_tokens.ts";

/** Words that begin a statement that is not an expression. */
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
/** Words that need an operand after them, so that no statement ends there. */
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

/** Index of the first token of each top-level statement. */
export function statementStarts(tokens: readonly Token[]): number[] {
  const starts = tokens.length === 0 ? [] : [0];
  let first = 0;
  for (let index = 1; index < tokens.length; index++) {
    if (!startsStatement(tokens, first, index)) continue;
    first = index;
    starts.push(first);
  }
  return starts;
}

/** Offset of the statement that begins at a token, if it may be an expression; otherwise null. */
export function expressionStart(tokens: readonly Token[], first: number): number | null {
  const token = tokens[first];
  if (token === undefined || token.depth !== 0) return null;
  if (token.text === ";" || token.text === "{") return null;
  if (token.type === "word") {
    if (token.text === "async" && tokens[first + 1]?.text === "function") return null;
    if (STATEMENT_WORDS.has(token.text)) {
      // `type`, `module` … may also be ordinary names.
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

/** True if the brace at `index` ends a block, function or class that is a whole statement. */
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
