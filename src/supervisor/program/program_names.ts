import type { SandboxProgram } from "../../sandbox/pool/waiting_program.ts";
import type { CatalogView } from "../catalog_view.ts";

/** A longer list of names goes only to a program that may list tools. */
const NAMES_MAX = 1_000;

const rendered = new WeakMap<CatalogView["tools"], SandboxProgram["names"]>();

/** Names by server; null if there are many and the program cannot list them. */
export function programNames(view: CatalogView, code: string): SandboxProgram["names"] {
  if (view.tools.length > NAMES_MAX && !mayListTools(code)) return null;
  const known = rendered.get(view.tools);
  if (known !== undefined) return known;
  const byServer = Map.groupBy(view.tools, (tool) => tool.serverIdentifier);
  const names = [...byServer].map(([server, tools]) => ({
    server,
    tools: tools.map((tool) => tool.identifier),
  }));
  rendered.set(view.tools, names);
  return names;
}

const NAME = "[\\p{ID_Start}$_][\\p{ID_Continue}$]{0,300}";
const DOT = "\\s{0,50}(?:\\?\\.|\\.)\\s{0,50}";
/** Matches `tools` unless it is a member of another object; `...tools` matches. */
const ALONE = "(?<![\\p{ID_Continue}$]|(?<!\\.)\\.)tools(?![\\p{ID_Continue}$])";
/** Matches `tools` except before the full name of a tool. */
const OTHER_USE = new RegExp(
  `${ALONE}(?!${DOT}(?:\\$|${NAME}${DOT}${NAME}))|globalThis`,
  "u",
);

/**
 * Whether a program uses `tools` other than to name a tool: `Object.keys(tools)`, `"a" in tools.b`.
 */
export function mayListTools(code: string): boolean {
  return OTHER_USE.test(code);
}
