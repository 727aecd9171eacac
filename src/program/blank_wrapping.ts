/**
 * Replaces the text that models write around a program by spaces, so that lines and columns do not
 * change: thoughts, a tag around the program, prose before and after a Markdown fence, the fence
 * itself and a `#!` line.
 *
 * If there are several fenced blocks of code, it is unclear which one is the program. Then the text
 * stays unchanged, and does not parse.
 */
export function blankWrapping(code: string): string {
  let text = blankThoughts(code);
  text = blankTag(text);
  text = blankFences(text);
  const hashbang = /^\s*#!.*/.exec(text);
  return hashbang === null ? text : blankRange(text, 0, hashbang[0].length);
}

/**
 * The message about Markdown fences that are still in a text: a parser reads most fences as
 * template texts, so its own message does not help.
 *
 * @returns null if there are no fences.
 */
export function fenceProblem(code: string): string | null {
  const fences = fenceLines(code);
  const [first] = fences;
  if (first === undefined || !isOutside(code.slice(0, first.start))) return null;
  const blocks = codeBlocks(code, fences).length;
  return blocks === 0
    ? "There is no fenced block of TypeScript or JavaScript"
    : `There are ${blocks} fenced blocks of code, and nothing says which one to run`;
}

/** The same text with spaces from `start` to `end`; line breaks stay. */
export function blankRange(text: string, start: number, end: number): string {
  const blank = text.slice(start, end).replaceAll(/[^\n]/g, " ");
  return text.slice(0, start) + blank + text.slice(end);
}

const THOUGHT = /^\s*<(think|thinking|thought|thoughts|reasoning|scratchpad)>/i;

/** Blanks `<think>…</think>` at the start; some hosts remove the opening tag. */
function blankThoughts(code: string): string {
  const opening = THOUGHT.exec(code);
  const closing = opening === null
    ? /^[ \t]*<\/think(?:ing)?>/im.exec(code)
    : new RegExp(`</${opening[1]}>`, "i").exec(code);
  if (closing === null) return code;
  if (opening === null && code.slice(0, closing.index).includes("`")) return code;
  return blankRange(code, 0, closing.index + closing[0].length);
}

const TAG =
  /^\s*<(code|program|script|execute|execute_code|tool_code|typescript|javascript|ts|js)>/i;

function blankTag(code: string): string {
  const opening = TAG.exec(code);
  if (opening === null) return code;
  const end = code.trimEnd().length;
  const start = end - `</${opening[1]}>`.length;
  if (code.slice(start, end).toLowerCase() !== `</${opening[1]?.toLowerCase()}>`) return code;
  return blankRange(blankRange(code, start, end), 0, opening[0].length);
}

/** A line that opens or closes a fenced block. @see CommonMark 0.31, section 4.5 */
interface FenceLine {
  readonly start: number;
  readonly end: number;
  /** Three or more of one character. */
  readonly mark: string;
  /** Words after the mark; empty on a closing line. */
  readonly info: string;
}

/** A block of code, without its fences. */
interface CodeBlock {
  readonly start: number;
  readonly end: number;
}

const FENCES_MAX = 200;
const LANGUAGES = /^(?:|[cm]?[jt]sx?|typescript|javascript|ecmascript|node|deno|code)$/i;

function blankFences(code: string): string {
  const fences = fenceLines(code);
  const [first] = fences;
  if (first === undefined || !isOutside(code.slice(0, first.start))) return code;
  const isOnlyClosed = fences.length === 1 && first.info === "" &&
    code.slice(0, first.start).trim() !== "";
  if (isOnlyClosed) return blankRange(code, first.start, code.length);
  const blocks = codeBlocks(code, fences);
  const [block] = blocks;
  if (block === undefined || blocks.length > 1) return code;
  return blankRange(blankRange(code, block.end, code.length), 0, block.start);
}

function fenceLines(code: string): FenceLine[] {
  const fences: FenceLine[] = [];
  if (!code.includes("```") && !code.includes("~~~")) return fences;
  for (let start = 0; start < code.length && fences.length < FENCES_MAX;) {
    const lineEnd = code.indexOf("\n", start);
    const end = lineEnd < 0 ? code.length : lineEnd;
    const fence = fenceOf(code.slice(start, end));
    if (fence !== null) fences.push({ start, end, ...fence });
    start = end + 1;
  }
  return fences;
}

function fenceOf(line: string): Pick<FenceLine, "mark" | "info"> | null {
  const text = line.trim();
  const mark = /^(?:`{3,}|~{3,})/.exec(text)?.[0];
  if (mark === undefined) return null;
  const info = text.slice(mark.length).trim();
  return info.includes("`") ? null : { mark, info };
}

/** False inside a template or a comment, where a fence is part of the program. */
function isOutside(before: string): boolean {
  const ticks = before.length - before.replaceAll("`", "").length;
  return ticks % 2 === 0 && before.lastIndexOf("/*") <= before.lastIndexOf("*/");
}

function codeBlocks(code: string, fences: readonly FenceLine[]): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (let index = 0; index < fences.length; index++) {
    const open = fences[index] as FenceLine;
    const closes = (fence: FenceLine) => fence.info === "" && fence.mark.startsWith(open.mark);
    let close = index + 1;
    while (close < fences.length && !closes(fences[close] as FenceLine)) close++;
    const start = Math.min(open.end + 1, code.length);
    const end = fences[close]?.start ?? lastEnd(code, open.mark);
    if (LANGUAGES.test(open.info.split(/[\s{:]/, 1)[0] ?? "") && end >= start) {
      blocks.push({ start, end });
    }
    index = close;
  }
  return blocks;
}

/** The end of a block without a closing line; its mark may follow the last line directly. */
function lastEnd(code: string, mark: string): number {
  const end = code.trimEnd().length;
  return code.startsWith(mark, end - mark.length) ? end - mark.length : code.length;
}
