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

/** Each alternative also matches an unclosed token, so that one pass over the text is enough. */
const TOKEN =
  /(\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?)|("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[^])*`?)|((?<![\w$])\d[\w.]*)|([A-Za-z_$][\w$]*)/g;

/**
 * Colours a program, line by line.
 *
 * It is not a parser: a regular expression that looks like a comment gets a wrong colour.
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

/**
 * The only line (1-based) of a program that can have called a tool, by `toolSpelling`.
 *
 * Records of calls do not hold a line. The result leaves out a tool that several lines name. It is
 * empty if the program uses `tools` without a tool's full name, because then any line may have made
 * a call.
 */
export function findCallLines(code: string): ReadonlyMap<string, number> {
  const silent = silentRanges(code);
  const isSilent = (index: number) => silent.some(([from, to]) => index >= from && index < to);
  const starts = lineStarts(code);
  const lines = new Map<string, Set<number>>();
  const named = new Set<number>();
  for (const match of code.matchAll(MENTION)) {
    if (isSilent(match.index)) continue;
    named.add(match.index);
    const name = toolSpelling(match[1] ?? match[2] ?? "", match[3] ?? match[4] ?? "");
    const known = lines.get(name) ?? new Set();
    lines.set(name, known.add(lineAt(starts, match.index)));
  }
  for (const { index } of code.matchAll(/(?<![\w$.])tools(?![\w$])/g)) {
    if (!named.has(index) && !isSilent(index)) return new Map();
  }
  const certain = [...lines].filter(([, found]) => found.size === 1);
  return new Map(certain.map(([name, found]) => [name, [...found][0] as number]));
}

/** Ranges of comments and plain strings; a template is not one, because it may hold code. */
function silentRanges(code: string): readonly (readonly [number, number])[] {
  return code.matchAll(TOKEN).flatMap((match): [number, number][] => {
    const [text, comment, string] = match;
    const isSilent = comment !== undefined || (string !== undefined && !string.startsWith("`"));
    return isSilent ? [[match.index, match.index + text.length]] : [];
  }).toArray();
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
