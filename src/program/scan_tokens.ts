/** Kinds of tokens, as detailed as finding statements needs them. */
export type TokenType = "word" | "number" | "string" | "template" | "regex" | "punctuator";

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  /** Nesting of brackets around the token; an opening bracket has the depth outside it. */
  readonly depth: number;
  /** True if a line break lies between the previous token and this one. */
  readonly afterLineBreak: boolean;
}

/** Result of a scan: the tokens, or the first problem, such as a bracket without a partner. */
export type Scan =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly message: string; readonly offset: number };

const WORD = /[\p{ID_Continue}$\u200c\u200d\\#@]/u;
const PUNCTUATORS = [
  ">>>=",
  "...",
  "===",
  "!==",
  "**=",
  "<<=",
  ">>=",
  ">>>",
  "&&=",
  "||=",
  "??=",
  "=>",
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "??",
  "?.",
  "++",
  "--",
  "+=",
  "-=",
  "*=",
  "/=",
  "%=",
  "&=",
  "|=",
  "^=",
  "<<",
  ">>",
  "**",
];
/** Words after which a slash starts a regular expression. */
const REGEX_AFTER = new Set([
  "return",
  "typeof",
  "instanceof",
  "in",
  "of",
  "new",
  "delete",
  "void",
  "throw",
  "case",
  "do",
  "else",
  "await",
  "yield",
]);

/**
 * Splits JavaScript or TypeScript into tokens: enough to find top-level statements, not a parser.
 *
 * For every text it is linear in the length and not recursive.
 */
export function scanTokens(text: string): Scan {
  const tokens: Token[] = [];
  /** `before`: index of the token before the bracket. */
  const brackets: { open: string; offset: number; before: number }[] = [];
  /** Closing brackets after which a new statement or expression begins. */
  const headsAndBlocks = new Set<Token>();
  let position = 0;
  let afterLineBreak = false;

  const add = (type: TokenType, end: number, depth = brackets.length) => {
    tokens.push({
      type,
      text: text.slice(position, end),
      start: position,
      end,
      depth,
      afterLineBreak,
    });
    afterLineBreak = false;
    position = end;
  };

  while (position < text.length) {
    const char = text[position]!;
    if (char === "\n" || char === "\r" || char === "\u2028" || char === "\u2029") {
      afterLineBreak = true;
      position++;
    } else if (/\s/.test(char) || char === "\ufeff") {
      position++;
    } else if (text.startsWith("//", position)) {
      const end = text.indexOf("\n", position);
      position = end < 0 ? text.length : end;
    } else if (text.startsWith("/*", position)) {
      const end = text.indexOf("*/", position + 2);
      if (end < 0) return { ok: false, message: "Comment is not closed", offset: position };
      if (text.slice(position, end).includes("\n")) afterLineBreak = true;
      position = end + 2;
    } else if (char === '"' || char === "'") {
      add("string", stringEnd(text, position, char));
    } else if (char === "`") {
      const end = templatePartEnd(text, position + 1);
      const opens = text.startsWith("${", end - 2) && text[end - 1] === "{";
      if (opens) brackets.push({ open: "`", offset: position, before: tokens.length - 1 });
      add("template", end, brackets.length - (opens ? 1 : 0));
    } else if (/\d/.test(char)) {
      let end = position + 1;
      while (end < text.length && /[\w.]/.test(text[end]!)) end++;
      add("number", end);
    } else if (WORD.test(char) || isSurrogate(char)) {
      let end = position + 1;
      while (end < text.length && (WORD.test(text[end]!) || isSurrogate(text[end]!))) end++;
      add("word", end);
    } else if (char === "(" || char === "[" || char === "{") {
      const depth = brackets.length;
      brackets.push({ open: char, offset: position, before: tokens.length - 1 });
      add("punctuator", position + 1, depth);
    } else if (char === ")" || char === "]" || char === "}") {
      const bracket = brackets.pop();
      if (bracket === undefined) {
        return { ok: false, message: `Unexpected "${char}"`, offset: position };
      }
      if (bracket.open === "`" && char === "}") {
        const end = templatePartEnd(text, position + 1);
        const opens = text.startsWith("${", end - 2) && text[end - 1] === "{";
        if (opens) brackets.push(bracket);
        add("template", end, brackets.length - (opens ? 1 : 0));
      } else if (CLOSES[char] !== bracket.open) {
        return { ok: false, message: `Unexpected "${char}"`, offset: position };
      } else {
        add("punctuator", position + 1);
        const before = tokens[bracket.before];
        const opensBlock = before !== undefined &&
          (headsAndBlocks.has(before) || /^(else|try|finally|do)$/.test(before.text));
        if (char === ")" ? isHead(tokens, bracket.before) : char === "}" && opensBlock) {
          headsAndBlocks.add(tokens.at(-1)!);
        }
      }
    } else if (
      char === "/" && (regexMayStart(tokens.at(-1)) || headsAndBlocks.has(tokens.at(-1)!))
    ) {
      add("regex", regexEnd(text, position));
    } else {
      const long = PUNCTUATORS.find((candidate) => text.startsWith(candidate, position));
      add("punctuator", position + (long?.length ?? 1));
    }
  }
  const open = brackets.at(-1);
  if (open !== undefined) {
    return { ok: false, message: `"${open.open}" is never closed`, offset: open.offset };
  }
  return { ok: true, tokens };
}

const CLOSES: { readonly [close: string]: string } = { ")": "(", "]": "[", "}": "{" };

/** True if the word at `index` begins a statement whose head is in parentheses. */
function isHead(tokens: readonly Token[], index: number): boolean {
  const at = tokens[index]?.text === "await" ? index - 1 : index;
  return /^(if|for|while|with|catch|switch)$/.test(tokens[at]?.text ?? "") &&
    !/^\??\.$/.test(tokens[at - 1]?.text ?? "");
}

function isSurrogate(char: string): boolean {
  const code = char.charCodeAt(0);
  return code >= 0xd800 && code <= 0xdfff;
}

function stringEnd(text: string, start: number, quote: string): number {
  let position = start + 1;
  while (position < text.length) {
    const char = text[position]!;
    if (char === "\\") position += 2;
    else if (char === quote) return position + 1;
    else if (char === "\n") return position;
    else position++;
  }
  return Math.min(position, text.length);
}

/** The end of a template part: after its closing backtick or its `${`. */
function templatePartEnd(text: string, start: number): number {
  let position = start;
  while (position < text.length) {
    const char = text[position]!;
    if (char === "\\") position += 2;
    else if (char === "`") return position + 1;
    else if (char === "$" && text[position + 1] === "{") return position + 2;
    else position++;
  }
  return Math.min(position, text.length);
}

function regexMayStart(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.type === "word") return REGEX_AFTER.has(previous.text);
  if (previous.type !== "punctuator") return false;
  // After these a slash is probably a division; the caller handles the exceptions.
  return previous.text !== ")" && previous.text !== "]" && previous.text !== "}" &&
    previous.text !== "++" && previous.text !== "--";
}

function regexEnd(text: string, start: number): number {
  let position = start + 1;
  let inClass = false;
  while (position < text.length) {
    const char = text[position]!;
    if (char === "\n") return position;
    if (char === "\\") position += 2;
    else {
      position++;
      if (char === "[") inClass = true;
      else if (char === "]") inClass = false;
      else if (char === "/" && !inClass) break;
    }
  }
  while (position < text.length && /\w/.test(text[position]!)) position++;
  return Math.min(position, text.length);
}
