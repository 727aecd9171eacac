import type { ProgramError } from "../../model/execution.ts";
import type { Tool } from "../../model/tool.ts";

/** The tools that a name may stand for. */
export type MeantTools = (name: string) => readonly Tool[];

/** The hint for a program that calls a tool in another way. */
export const CALL_FORM =
  "A tool is called as tools.<server>.<tool>(args); find tools with tools.$search(query).";

/** `Write tools.orders.list(args).` */
export function writeInstead(tools: readonly Tool[]): string {
  return `Write ${tools.map(({ id }) => `tools.${id}(args)`).join(" or ")}.`;
}

/**
 * The hint that names the tool which a program meant by an unknown name: `orders_list(…)`,
 * `mcp.callTool({ name: "orders.list" })`, `tools.mcp.orders.list(…)`.
 *
 * @returns null if the error is about something else.
 */
export function nameHint(error: ProgramError, code: string, meant: MeantTools): string | null {
  if (error.code !== "ERR_PROGRAM") return null;
  const path = /^tools((?:\.[\p{ID_Continue}$]{1,200}){1,6}) is not a function$/u.exec(
    error.message,
  );
  if (path !== null) {
    const tools = meant(path[1]?.slice(1) ?? "");
    return tools.length > 0 ? writeInstead(tools) : calledMember(path[1] ?? "", meant);
  }
  const name = /^([\p{ID_Start}$_][\p{ID_Continue}$]{0,200}) is not defined$/u.exec(error.message)
    ?.[1];
  if (name === undefined) return null;
  for (const candidate of candidatesOf(name, lineOf(code, error.line))) {
    const tools = meant(candidate);
    if (tools.length > 0) return writeInstead(tools);
  }
  return null;
}

/** `tools.orders.list.execute(…)`: the tool itself is the function. */
function calledMember(path: string, meant: MeantTools): string | null {
  const tools = meant(path.slice(1, path.lastIndexOf(".")));
  return tools.length > 0 ? writeInstead(tools) : null;
}

/** The line of the error and the two lines after it, which often hold the name of the tool. */
function lineOf(code: string, line: number | undefined): string {
  const lines = code.split("\n");
  return line === undefined ? code.slice(0, 2_000) : lines.slice(line - 1, line + 2).join("\n");
}

const NAMED =
  /^((?:\s{0,5}\??\.\s{0,5}[\p{ID_Continue}$]{1,200}){0,4})\s{0,5}\(\s{0,50}(?:\{\s{0,50}["']?(?:name|tool|toolName|tool_name)["']?\s{0,5}:\s{0,5})?(?:["'`]([^"'`\n]{1,300})["'`])?/u;

/** Possible tool names in a call of `name`: a text argument, or the name with its members. */
function candidatesOf(name: string, text: string): readonly string[] {
  const found = text.indexOf(name);
  const match = found < 0 ? null : NAMED.exec(text.slice(found + name.length));
  if (match === null) return [];
  const members = (match[1] ?? "").replaceAll(/\s/g, "");
  return [...(match[2] === undefined ? [] : [match[2]]), name + members];
}
