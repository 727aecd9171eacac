import { stripTypeScriptTypes } from "node:module";
import { type ProgramForm, programForms } from "./program_forms.ts";
import { decodePositions } from "./source_positions.ts";

/** A program as JavaScript, or why it is none. Lines and columns are those of the caller's own code. */
export type PreparedProgram =
  | {
    readonly ok: true;
    readonly code: string;
    readonly edits: ProgramForm["edits"];
    readonly positions: readonly (readonly number[])[] | null;
  }
  | {
    readonly ok: false;
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  };

/**
 * Turns the TypeScript of a caller into one JavaScript expression of an async function.
 *
 * The parser is native and aborts the whole process on deep nesting: call this only in a process that
 * may die.
 */
export function prepareProgram(source: string): PreparedProgram {
  const forms = programForms(source);
  if (!forms.ok) return forms;
  let problem: PreparedProgram | null = null;
  for (const form of forms.forms) {
    const stripped = stripForm(form);
    if (stripped.ok) return stripped;
    // The last form is the program as it was written: its message is the one that makes sense.
    problem = stripped;
  }
  return problem!;
}

/**
 * Parses once with every kind of syntax. The parser reads the bounds of the stack from /proc at its
 * first deep use, which must happen while files can still be opened.
 */
export function warmParser(): void {
  const sample =
    `(async () => { interface A<T> { a: T } class B<T> implements A<T> { #p = 1; static s = 1;
    constructor(x: number) {} get a(): T { return 1 as any } } type U = A<string> | { [k: string]: number };
    const f = async <T,>(x: T, ...r: any[]): Promise<T> => { try { for (const q of r) { if (q?.z ?? (q &&
    [1, { w: \`\${q + (1 + (2 * (3 - (4))))}\` }])) continue; else break; } } catch (e) { throw e } finally {
    switch (r.length) { case 1: do { r.pop() } while (r.length); default: } } return (((((x))))) satisfies any };
    return await f(new B<number>(1).a!, ...[1], () => () => () => 1) })`;
  prepareText(sample);
  stripTypeScriptTypes("(() => { enum E { A } class C { constructor(public x: number) {} } })", {
    mode: "transform",
    sourceMap: true,
  });
}

function stripForm(form: ProgramForm): PreparedProgram {
  const text = prepareText(form.text);
  if (text.ok) return { ...text, edits: form.edits };
  return { ok: false, ...originalPlace(form, text.line, text.column), message: text.message };
}

type Stripped =
  | {
    readonly ok: true;
    readonly code: string;
    readonly positions: readonly (readonly number[])[] | null;
  }
  | {
    readonly ok: false;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };

function prepareText(text: string): Stripped {
  try {
    return { ok: true, code: stripTypeScriptTypes(text, { mode: "strip" }), positions: null };
  } catch {
    // Enums, namespaces and parameter properties need a transformation; that mode also says what is wrong.
  }
  try {
    const code = stripTypeScriptTypes(text, { mode: "transform", sourceMap: true });
    const at = code.lastIndexOf("//# sourceMappingURL=");
    const map = at < 0 ? "" : atob(code.slice(code.indexOf(",", at) + 1).trim());
    return {
      ok: true,
      code: at < 0 ? code : code.slice(0, at),
      positions: map === "" ? null : decodePositions(map),
    };
  } catch (error) {
    const full = error instanceof Error ? error.message : "The program does not parse";
    const place = /:(\d+):(\d+)\s*$/.exec(full);
    const first = full.split("\n")[0]!.replace(/^(\w*Error: )+/, "").replace(/ at file:.*$/, "");
    return {
      ok: false,
      message: first.slice(0, 500),
      line: place === null ? 1 : Number(place[1]),
      column: place === null ? 1 : Number(place[2]),
    };
  }
}

/** Takes the added columns off again, and keeps a place at the very end inside the text. */
function originalPlace(
  form: ProgramForm,
  line: number,
  column: number,
): { line: number; column: number } {
  let added = 0;
  for (const [editLine, editColumn, columns] of form.edits) {
    if (editLine === line && column > editColumn) added += Math.min(columns, column - editColumn);
  }
  return line > form.lines ? { line: form.lines, column: 1 } : { line, column: column - added };
}
