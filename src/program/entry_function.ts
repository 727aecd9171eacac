import type { Token } from "./scan_tokens.ts";
import { statementStarts } from "./top_statements.ts";

/** The function that starts a program which calls none of its functions, or why there is none. */
export type Entry = { readonly name: string } | Uncalled;

/** Uncalled functions or unused classes, of which none is clearly the program. */
export interface Uncalled {
  readonly uncalled: readonly string[];
  /** An example of a call. */
  readonly example: string;
}

/** A function that a statement of the program declares. */
interface Declared {
  readonly name: string;
  /** Token indexes of the statement; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly needsArguments: boolean;
}

/** Names of functions that are the whole program. */
const MAIN =
  /^_*(?:main|run|execute|exec|program|start|handler|solve|solution|task|script|entry|entrypoint|app|job|workflow)(?:program|task|main|script|workflow|job|async|all)?_*$/i;

/**
 * Finds the function that starts a program without its own result.
 *
 * An uncalled function with a name such as `main` always starts the program. Another function does
 * so only if the program does nothing else: next to statements that act, it may be a leftover.
 *
 * @param starts index of the first token of each top-level statement.
 * @returns null if the program does something by itself.
 */
export function entryFunction(tokens: readonly Token[], starts: readonly number[]): Entry | null {
  const statements = starts.map((from, index) => ({
    from,
    to: starts[index + 1] ?? tokens.length,
  }));
  const declared = statements.flatMap(({ from, to }) => declaredFunction(tokens, from, to) ?? []);
  if (declared.length === 0) return unusedClasses(tokens, statements);
  const counts = countWords(tokens);
  const uncalled = declared.filter((each) => isUncalled(tokens, counts, each));
  const main = uncalled.findLast(({ name }) => MAIN.test(name));
  if (main !== undefined) return main;
  if (statements.some(({ from, to }) => acts(tokens, from, to))) return null;
  // If functions call each other in a circle, none of them counts as uncalled.
  const candidates = uncalled.length > 0 ? uncalled : declared;
  if (declared.length === 1 && statements.length === 1) return declared[0] ?? null;
  const chosen = candidates.findLast(({ needsArguments }) => !needsArguments);
  if (chosen !== undefined) return chosen;
  const names = candidates.map(({ name }) => name);
  return { uncalled: names, example: `${names.at(-1)}(…)` };
}

/** The classes of a program that has only classes and types; null if it has other statements. */
function unusedClasses(
  tokens: readonly Token[],
  statements: readonly { readonly from: number; readonly to: number }[],
): Entry | null {
  const names = statements.flatMap(({ from, to }) => {
    const at = from + (tokens[from]?.text === "abstract" ? 1 : 0);
    const name = tokens[at + 1];
    const texts = tokens.slice(from, to).map(({ text }) => text);
    // Static code may run at the declaration of the class; a class without a method runs nothing.
    const hasOnlyMethods = texts.includes("(") && !texts.includes("static");
    const isClass = tokens[at]?.text === "class" && name?.type === "word";
    return isClass && hasOnlyMethods ? [name.text] : [];
  });
  const others = statements.filter(({ from }) =>
    !/^(?:abstract|class|interface|type|;)$/.test(tokens[from]?.text ?? "")
  );
  const classes = statements.filter(({ from }) =>
    /^(?:abstract|class)$/.test(tokens[from]?.text ?? "")
  );
  if (names.length === 0 || names.length < classes.length || others.length > 0) return null;
  return { uncalled: names, example: `new ${names.at(-1)}(…).method(…)` };
}

/**
 * The `export` tokens before functions. They have no effect, because no module imports a program.
 */
export function exportedFunctions(tokens: readonly Token[]): Token[] {
  const starts = statementStarts(tokens);
  return starts.flatMap((from, index) => {
    const to = starts[index + 1] ?? tokens.length;
    const isFunction = tokens[from]?.text === "export" &&
      declaredFunction(tokens, from + 1, to) !== null;
    return isFunction ? [tokens[from] as Token] : [];
  });
}

/** `async function name(…)`, `const name = async (…) => …` and the like. */
function declaredFunction(tokens: readonly Token[], from: number, to: number): Declared | null {
  const at = from + (tokens[from]?.text === "async" ? 1 : 0);
  if (tokens[at]?.text === "function") {
    const star = tokens[at + 1]?.text === "*" ? 1 : 0;
    const name = tokens[at + 1 + star];
    if (name?.type !== "word") return null;
    return { name: name.text, from, to, needsArguments: needsArguments(tokens, at + 2 + star, to) };
  }
  if (!/^(?:const|let|var)$/.test(tokens[from]?.text ?? "")) return null;
  const name = tokens[from + 1];
  const equals = findAtTop(tokens, from + 2, to, "=");
  if (name?.type !== "word" || equals < 0) return null;
  const start = equals + (tokens[equals + 1]?.text === "async" ? 2 : 1);
  const isFunction = tokens[start]?.text === "function" || isArrow(tokens, start, to);
  if (!isFunction) return null;
  return { name: name.text, from, to, needsArguments: needsArguments(tokens, start, to) };
}

/** `(…) =>`, `(…): Type =>`, `<T>(…) =>` or `name =>`. */
function isArrow(tokens: readonly Token[], start: number, to: number): boolean {
  const [first, second] = [tokens[start], tokens[start + 1]];
  if (first?.type === "word") return second?.text === "=>";
  if (first?.text !== "(" && first?.text !== "<") return false;
  const open = findAtTop(tokens, start, to, "(");
  const close = open < 0 ? -1 : findAtTop(tokens, open + 1, to, ")");
  const after = close < 0 ? undefined : tokens[close + 1]?.text;
  return after === "=>" || (after === ":" && findAtTop(tokens, close, to, "=>") > 0);
}

/** Whether the parameter list that begins at or after a token has required parameters. */
function needsArguments(tokens: readonly Token[], start: number, to: number): boolean {
  if (tokens[start]?.type === "word" && tokens[start + 1]?.text === "=>") return true;
  const open = findAtTop(tokens, start, to, "(");
  const first = tokens[open + 1];
  if (open < 0 || first === undefined || first.text === ")" || first.text === "...") return false;
  for (let at = open + 1; at < to; at++) {
    const { depth, text } = tokens[at] as Token;
    if (depth === 0) return true;
    if (depth > 1) continue;
    if (text === "=" || text === "?") return false;
    if (text === ",") return true;
  }
  return true;
}

function findAtTop(tokens: readonly Token[], start: number, to: number, text: string): number {
  for (let at = start; at < to; at++) {
    if (tokens[at]?.depth === 0 && tokens[at]?.text === text) return at;
  }
  return -1;
}

/** Whether a statement does more than declare something. */
function acts(tokens: readonly Token[], from: number, to: number): boolean {
  const [first, second] = [tokens[from], tokens[from + 1]];
  const word = first?.text === "async" ? second?.text : first?.text;
  if (/^(?:function|class|abstract|interface|type|enum|declare|namespace|;)$/.test(word ?? "")) {
    return false;
  }
  // A directive, such as "use strict".
  if (first?.type === "string" && (second === undefined || to - from <= 2)) return false;
  if (!/^(?:const|let|var)$/.test(word ?? "")) return true;
  for (let at = from; at < to; at++) {
    if (tokens[at]?.depth === 0 && tokens[at]?.text === "await") return true;
  }
  return false;
}

/** How often the program uses each word as a name, not as a member of an object. */
function countWords(tokens: readonly Token[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at < tokens.length; at++) {
    const name = nameAt(tokens, at);
    if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function nameAt(tokens: readonly Token[], at: number): string | null {
  const token = tokens[at];
  if (token?.type !== "word") return null;
  const before = tokens[at - 1]?.text;
  return before === "." || before === "?." || before === "typeof" ? null : token.text;
}

/** Whether the rest of the program does not name the function. */
function isUncalled(
  tokens: readonly Token[],
  counts: ReadonlyMap<string, number>,
  { name, from, to }: Declared,
): boolean {
  const all = counts.get(name) ?? 0;
  if (all <= 1) return true;
  let own = 0;
  for (let at = from; at < to; at++) if (nameAt(tokens, at) === name) own++;
  return own === all;
}
