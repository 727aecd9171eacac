import { blankWrapping } from "../program/blank_wrapping.ts";
import { scanTokens } from "../program/scan_tokens.ts";

/**
 * Tool names that a program mentions, as `server.tool`: `tools.a.b`, `tools["a"]["b"]`,
 * destructured names, and the same through a variable that holds `tools` or one of its servers. A
 * name that is called in the place of a server, as in `tools.a_b(…)`, is returned alone.
 *
 * This is a scan of tokens, not a parse: it is cheap on any text, and may return names that are not
 * tools. The names only select the declarations for a check; they decide nothing.
 */
export function mentionedTools(code: string): readonly string[] {
  const tokens = tokenize(code);
  const scan: Scan = { tokens, holders: new Map([["tools", []]]), mentioned: new Set() };
  // A function may use a name before the line that assigns its value.
  for (let pass = 0; pass < PASSES; pass++) {
    const known = scan.holders.size;
    collect(scan);
    if (scan.holders.size === known) break;
  }
  return [...scan.mentioned];
}

/**
 * Names that may mean a tool, but are not used through `tools`: `orders_list(…)`,
 * `orders.list(…)`, `callTool("orders.list")`. Most of these names are not tools.
 */
export function looseNames(code: string): readonly string[] {
  const tokens = tokenize(code);
  const names = new Set<string>();
  for (let index = 0; index < tokens.length && names.size < LOOSE_MAX; index++) {
    const token = tokens[index] as Token;
    if (token.kind === "text") {
      if (SPELLED.test(token.value)) names.add(token.value);
    } else if (token.kind === "name" && !isMember(tokens, index)) {
      const { path, end } = followPath(tokens, index + 1, []);
      if (isMark(tokens[end], "(")) names.add([token.value, ...path].join("."));
    }
  }
  return [...names];
}

const LOOSE_MAX = 400;
/** Two words with a separator that some host puts between server and tool. */
const SPELLED = /^[\p{L}_][\p{L}\p{N}_-]{0,100}(?:[./:]|__?)[\p{L}\p{N}_./:-]{1,100}$/u;
const CODE_LENGTH_MAX = 1_048_576;
const MENTIONS_MAX = 400;
const HOLDERS_MAX = 400;
const PASSES = 4;

/** Names after `tools`: no name for `tools` itself, one for a server, two for a tool. */
type Path = readonly string[];

/** The state of a scan. */
interface Scan {
  readonly tokens: readonly Token[];
  /** Variables that hold `tools` or one of its servers. */
  readonly holders: Map<string, Path>;
  readonly mentioned: Set<string>;
}

interface Token {
  readonly kind: "name" | "text" | "mark";
  readonly value: string;
}

/** Empty if the code cannot be split into tokens: such code does not parse, and calls no tool. */
function tokenize(code: string): Token[] {
  if (code.length > CODE_LENGTH_MAX) return [];
  const scan = scanTokens(blankWrapping(code));
  if (!scan.ok) return [];
  return scan.tokens.map(({ type, text }) => {
    if (type === "word") return { kind: "name", value: text };
    const isText = type === "string" || (type === "template" && /^`[^`$]*`$/.test(text));
    return isText && !text.includes("\\")
      ? { kind: "text", value: text.slice(1, -1) }
      : { kind: "mark", value: text };
  });
}

function collect(scan: Scan): void {
  const { tokens, holders, mentioned } = scan;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind !== "name" || isMember(tokens, index)) continue;
    const held = holders.get(token.value);
    if (held === undefined) continue;
    const { path, end } = followPath(tokens, index + 1, held);
    mention(mentioned, path);
    const [only] = path;
    const isCalled = path.length === 1 && isMark(tokens[end], "(");
    if (isCalled && only !== undefined && !only.startsWith("$") && mentioned.size < MENTIONS_MAX) {
      mentioned.add(only);
    }
    if (path.length < 2) assign(scan, { start: index, end, path });
  }
}

function mention(mentioned: Set<string>, path: Path): void {
  const [server, tool] = path;
  if (tool === undefined || tool.startsWith("$") || server?.startsWith("$")) return;
  if (mentioned.size < MENTIONS_MAX) mentioned.add(`${server}.${tool}`);
}

function isMark(token: Token | undefined, value: string): boolean {
  return token?.kind === "mark" && token.value === value;
}

/** Whether the name comes after a dot, as in `other.tools`. */
function isMember(tokens: readonly Token[], index: number): boolean {
  return isMark(tokens[index - 1], ".") || isMark(tokens[index - 1], "?.");
}

/** Reads `.name`, `?.name` and `["name"]` until there are two names. */
function followPath(
  tokens: readonly Token[],
  start: number,
  held: Path,
): { path: Path; end: number } {
  const path = [...held];
  let at = start;
  while (path.length < 2) {
    while (isMark(tokens[at], "!") || isMark(tokens[at], ")")) at++;
    const isDot = isMark(tokens[at], ".") || isMark(tokens[at], "?.");
    const next = tokens[isDot ? at + 1 : at];
    if (isDot && next?.kind === "name") {
      path.push(next.value);
      at += 2;
    } else if (isMark(next, "[")) {
      const bracket = isDot ? at + 1 : at;
      const key = tokens[bracket + 1];
      if (key?.kind !== "text" || !isMark(tokens[bracket + 2], "]")) break;
      path.push(key.value);
      at = bracket + 3;
    } else break;
  }
  return { path, end: at };
}

/** Reads the names that get a path: `name = tools.server` and `{ a, b: c } = tools.server`. */
function assign(
  scan: Scan,
  { start, end, path }: { readonly start: number; readonly end: number; readonly path: Path },
): void {
  const { tokens, holders } = scan;
  if (isMark(tokens[end], "(") || isMark(tokens[end], "[")) return;
  const equals = skipBack(tokens, start - 1);
  if (!isMark(tokens[equals], "=")) return;
  const target = tokens[equals - 1];
  if (target?.kind === "name") return hold(holders, target.value, path);
  if (!isMark(target, "}")) return;
  const open = matchingBrace(tokens, equals - 1);
  if (open !== null) takeApart(scan, open, path);
}

/** Skips the parentheses of `= (tools as any)`. */
function skipBack(tokens: readonly Token[], index: number): number {
  let at = index;
  while (isMark(tokens[at], "(")) at--;
  return at;
}

function hold(holders: Map<string, Path>, name: string, path: Path): void {
  if (!holders.has(name) && holders.size < HOLDERS_MAX) holders.set(name, path);
}

function matchingBrace(tokens: readonly Token[], close: number): number | null {
  let depth = 0;
  for (let at = close; at >= 0 && close - at < 2_000; at--) {
    if (isMark(tokens[at], "}")) depth++;
    else if (isMark(tokens[at], "{") && --depth === 0) return at;
  }
  return null;
}

/**
 * Reads a destructuring pattern that begins at its brace.
 *
 * @returns the index after the closing brace.
 */
function takeApart(scan: Scan, open: number, path: Path): number {
  const { tokens, holders, mentioned } = scan;
  let at = open + 1;
  while (at < tokens.length && !isMark(tokens[at], "}")) {
    const key = tokens[at];
    if (key?.kind === "mark") {
      at++;
      continue;
    }
    const inner = [...path, key?.value ?? ""];
    mention(mentioned, inner);
    const isRenamed = isMark(tokens[at + 1], ":");
    const target = isRenamed ? tokens[at + 2] : key;
    if (isMark(target, "{") && inner.length < 2) {
      at = takeApart(scan, at + 2, inner);
      continue;
    }
    if (target?.kind === "name" && inner.length < 2) hold(holders, target.value, inner);
    at = nextProperty(tokens, isRenamed ? at + 3 : at + 1);
  }
  return at + 1;
}

/** Skips a default value up to the next comma or the end of the pattern. */
function nextProperty(tokens: readonly Token[], start: number): number {
  let at = start;
  while (at < tokens.length && !isMark(tokens[at], ",") && !isMark(tokens[at], "}")) at++;
  return at;
}
