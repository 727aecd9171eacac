export interface CodeToken {
  readonly kind: "plain" | "comment" | "string" | "number" | "keyword" | "name";
  readonly text: string;
}

const KEYWORDS = new Set(
  ("abstract as async await break case catch class const continue debugger declare default delete do " +
    "else enum export extends false finally for from function if import in instanceof interface let " +
    "new null of return satisfies static super switch this throw true try type typeof undefined var " +
    "void while with yield").split(" "),
);

/** Each alternative eats what it starts, closed or not, so that one pass over the text is enough. */
const TOKEN =
  /(\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?)|("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[^])*`?)|((?<![\w$])\d[\w.]*)|([A-Za-z_$][\w$]*)/g;

/**
 * Colours a program, line by line.
 *
 * A reading aid, not a parser: a regular expression that looks like a comment is coloured wrong.
 */
export function highlightCode(code: string): CodeToken[][] {
  const lines: CodeToken[][] = [[]];
  const push = (kind: CodeToken["kind"], text: string) => {
    for (const [index, piece] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (piece !== "") lines.at(-1)?.push({ kind, text: piece });
    }
  };
  let from = 0;
  for (const match of code.matchAll(TOKEN)) {
    const [text, comment, string, number] = match;
    push("plain", code.slice(from, match.index));
    if (comment !== undefined) push("comment", text);
    else if (string !== undefined) push("string", text);
    else if (number !== undefined) push("number", text);
    else if (KEYWORDS.has(text)) push("keyword", text);
    else push(text === "tools" ? "name" : "plain", text);
    from = match.index + text.length;
  }
  push("plain", code.slice(from));
  return lines;
}

const MENTION =
  /\btools\s{0,20}(?:\.\s{0,20}([\w$]{1,200})|\[\s{0,20}["'`]([^"'`\n]{1,200})["'`]\s{0,20}\])\s{0,20}(?:\.\s{0,20}([\w$]{1,200})|\[\s{0,20}["'`]([^"'`\n]{1,200})["'`]\s{0,20}\])/gu;

/** Where a program names tools: `server.tool` with everything but letters and digits as `_`, by line (1-based). */
export function findMentions(code: string): ReadonlyMap<string, readonly number[]> {
  const starts = lineStarts(code);
  const mentions = new Map<string, number[]>();
  for (const match of code.matchAll(MENTION)) {
    const name = toolSpelling(match[1] ?? match[2] ?? "", match[3] ?? match[4] ?? "");
    const line = lineAt(starts, match.index);
    const lines = mentions.get(name);
    if (lines === undefined) mentions.set(name, [line]);
    else if (lines.at(-1) !== line) lines.push(line);
  }
  return mentions;
}

/** One spelling for a tool's own name and the identifier that programs use. */
export function toolSpelling(server: string, name: string): string {
  const fold = (part: string) => part.replaceAll(/[^\p{L}\p{N}]/gu, "_").replace(/_+$/, "");
  return `${fold(server)}.${fold(name)}`;
}

function lineStarts(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf("\n"); at >= 0; at = code.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], index: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}
