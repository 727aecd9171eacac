import type { ErrorCode } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import { NOTHING_RUNS } from "./program_forms.ts";

/** Globals of a program worth suggesting. */
const GLOBALS = [
  "tools",
  "console",
  "JSON",
  "Math",
  "Object",
  "Array",
  "String",
  "Number",
  "Boolean",
  "Date",
  "Map",
  "Set",
  "Promise",
  "RegExp",
  "Error",
  "Symbol",
  "Intl",
  "URL",
  "URLSearchParams",
  "TextEncoder",
  "TextDecoder",
  "structuredClone",
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "queueMicrotask",
  "parseInt",
  "parseFloat",
  "isNaN",
  "isFinite",
  "encodeURIComponent",
  "decodeURIComponent",
  "crypto",
  "atob",
  "btoa",
  "BigInt",
  "WeakMap",
  "WeakSet",
  "Uint8Array",
  "AbortController",
  "performance",
  "undefined",
];

const NO_CODE = "The program runs as it was sent; write the logic out instead of generating code.";
const NO_RUNTIME = "Only standard JavaScript and `tools` exist here.";
const NO_CALLER =
  "A tool is called as tools.<server>.<tool>(args); find tools with tools.$search(query).";
const NO_NETWORK = "A program reaches the outside through tools only: tools.<server>.<tool>(args).";
/** Names through which programs call tools in other hosts. */
export const CALLERS: readonly string[] =
  ("mcp client mcpClient callTool call_tool invokeTool invoke_tool useTool use_tool runTool run_tool " +
    "executeTool execute_tool use_mcp_tool callMcpTool call_mcp_tool codemode functions default_api api " +
    "gateway toolgate toolbox agent session sdk").split(" ");
/** Names that models use, but that do not exist here, with what to do instead. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  ["eval", NO_CODE],
  ["fetch", NO_NETWORK],
  ["XMLHttpRequest", NO_NETWORK],
  ["WebSocket", NO_NETWORK],
  ["EventSource", NO_NETWORK],
  ["axios", NO_NETWORK],
  ["Deno", NO_RUNTIME],
  ["Bun", NO_RUNTIME],
  ["process", NO_RUNTIME],
  ["require", NO_RUNTIME],
  ["module", NO_RUNTIME],
  ["Worker", NO_RUNTIME],
  ["WebAssembly", NO_RUNTIME],
  ["SharedArrayBuffer", NO_RUNTIME],
  ["localStorage", NO_RUNTIME],
  ["window", NO_RUNTIME],
  ["document", NO_RUNTIME],
  ["Buffer", "Use Uint8Array, TextEncoder, atob and btoa."],
  ["setImmediate", "Use setTimeout."],
  ...CALLERS.map((name): [string, string] => [name, NO_CALLER]),
]);

/** A hint about the probable cause of an uncaught error; empty if no cause is likely. */
export function suggestFor(message: string, servers: readonly string[], code = ""): string {
  if (/dynamic import callback/.test(message)) {
    return "Programs are not modules and cannot import; use tools.<server>.<tool>(args).";
  }
  if (/^Code generation from strings/.test(message)) return NO_CODE;
  if (/^"\[object \w+\]" is not valid JSON$/.test(message)) {
    return "This is a value already, not JSON text: leave out JSON.parse.";
  }
  const missing = /^([\p{ID_Start}$_][\p{ID_Continue}$]*) is not defined$/u.exec(message)?.[1];
  if (missing === undefined) return "";
  if (isAssigned(missing, code)) {
    return `"${missing}" is not declared: put const or let before it where it gets its value.`;
  }
  const absent = ABSENT.get(missing);
  if (absent !== undefined) return absent;
  if (servers.includes(missing)) return `Write tools.${missing}.`;
  const server = nearest(missing, servers, 1)[0];
  if (server !== undefined) return `Did you mean tools.${server}?`;
  // Short names resemble each other by chance.
  const name = missing.length < 4 ? undefined : nearest(missing, GLOBALS, 1)[0];
  return name === undefined ? "" : `Did you mean ${name}?`;
}

/** Whether a program assigns a name: `total = 1`, `for (row of rows)`, `[a, b] = pair`. */
function isAssigned(name: string, code: string): boolean {
  const word = `(?<![.\\p{ID_Continue}$])${name.replaceAll("$", "\\$")}(?![\\p{ID_Continue}$])`;
  const operator = "(?:[-+*/%&|^]|\\*\\*|&&|\\|\\||\\?\\?|<<|>>>?)?=(?![=>])|\\+\\+|--";
  const loop = `for\\s{0,9}(?:await\\s{0,9})?\\(\\s{0,9}${word}\\s{1,9}(?:of|in)\\b`;
  const pattern =
    `[[{,]\\s{0,9}${word}\\s{0,9}(?:[,\\]}][^\\n=;(]{0,200})?[\\]}]?\\s{0,9}=(?![=>])`;
  return new RegExp(`${word}\\s{0,9}(?:${operator})|${loop}|${pattern}`, "u").test(code);
}

/**
 * Finds the limit that caused an error of the language itself, such as the RangeError of an
 * allocation that the kernel refused; null for an ordinary error.
 */
export function exhaustionOf(
  failure: { readonly name: string; readonly message: string },
): { readonly code: ErrorCode; readonly hint: string } | null {
  if (failure.name !== "RangeError") return null;
  if (/^Maximum call stack size exceeded$/.test(failure.message)) {
    return {
      code: "ERR_SANDBOX_NESTING",
      hint: "A recursion is too deep or never ends; use a loop or check its end condition.",
    };
  }
  if (
    /^(Array buffer allocation failed|Invalid string length|Maximum BigInt size exceeded|.*Out of memory)$/
      .test(failure.message)
  ) {
    return {
      code: "ERR_SANDBOX_MEMORY",
      hint: "Work on pages or slices instead of holding everything at once.",
    };
  }
  return null;
}

/** A hint for a program that does not parse. */
export function syntaxHint(message: string): string {
  if (/import.*export/.test(message)) {
    return "Programs are not modules: no import and no export, except `export default`; use tools.<server>.<tool>(args).";
  }
  if (message.startsWith(NOTHING_RUNS)) {
    return "Call the function that is the program, or name it main.";
  }
  return "Correct the syntax; nothing has run.";
}

/**
 * Finds the place of a syntax error from the engine's message, which does not contain the place.
 *
 * @returns 1-based line and column; null if the message does not show the place
 */
export function placeOfSyntaxError(
  message: string,
  code: string,
): { line: number; column: number } | null {
  const name = /^Identifier '([\p{ID_Continue}$]+)' has already been declared$/u.exec(message)?.[1];
  if (name === undefined) return null;
  const declaration = new RegExp(
    `\\b(?:let|const|var|class|function)\\s+(${
      name.replaceAll("$", "\\$")
    })(?![\\p{ID_Continue}$])`,
    "gu",
  );
  const last = [...code.matchAll(declaration)].at(-1);
  if (last === undefined) return null;
  const before = code.slice(0, last.index + last[0].length - name.length).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
