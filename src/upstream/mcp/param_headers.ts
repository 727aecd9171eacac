import { isFields } from "../../model/json/fields.ts";

/** One parameter of a tool that its server wants repeated as an HTTP header. */
export interface HeaderDeclaration {
  readonly name: string;
  /** Property names from the root of the arguments. */
  readonly path: readonly string[];
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const DEPTH_MAX = 16;
const DECLARATIONS_MAX = 100;

const NOT_A_SCHEMA = new Set(["const", "default", "enum", "examples"]);

/**
 * Finds the `x-mcp-header` annotations of an input schema.
 *
 * Only parameters that plain `properties` lead to may have them.
 *
 * @returns the declarations, or why the tool must not be used: the specification says to drop a
 * tool whose annotations are wrong.
 * @see MCP 2026-07-28, "Custom headers from tool parameters"
 */
export function headerDeclarations(
  inputSchema: unknown,
): { readonly declarations: readonly HeaderDeclaration[]; readonly problem: string | null } {
  const declarations: HeaderDeclaration[] = [];
  const seen = new Set<string>();
  let problem: string | null = null;
  const visit = (node: unknown, path: readonly string[], isParameter: boolean, depth: number) => {
    if (typeof node !== "object" || node === null || problem !== null || depth > DEPTH_MAX) return;
    if (isFields(node) && "x-mcp-header" in node) {
      const name = node["x-mcp-header"];
      problem = declarationProblem(name, node.type, isParameter ? path : [], seen);
      if (problem === null && declarations.length === DECLARATIONS_MAX) {
        problem = `more than ${DECLARATIONS_MAX} parameters have an x-mcp-header`;
      }
      if (problem !== null || typeof name !== "string") return;
      seen.add(name.toLowerCase());
      declarations.push({ name, path });
    }
    for (const [keyword, inner] of Object.entries(node)) {
      if (NOT_A_SCHEMA.has(keyword)) continue;
      if (keyword === "properties" && isFields(inner)) {
        for (const [property, schema] of Object.entries(inner)) {
          visit(schema, [...path, property], isParameter || path.length === 0, depth + 1);
        }
      } else visit(inner, [...path, keyword], false, depth + 1);
    }
  };
  visit(inputSchema, [], false, 0);
  return { declarations, problem };
}

function declarationProblem(
  name: unknown,
  type: unknown,
  path: readonly string[],
  seen: ReadonlySet<string>,
): string | null {
  if (typeof name !== "string" || !TOKEN.test(name)) return "an x-mcp-header is not a header name";
  if (seen.has(name.toLowerCase())) return `x-mcp-header "${name}" is declared twice`;
  if (path.length === 0) return `x-mcp-header "${name}" is not on a plain parameter`;
  if (type !== "string" && type !== "integer" && type !== "boolean") {
    return `x-mcp-header "${name}" is not on a string, integer or boolean`;
  }
  return null;
}

/** The `Mcp-Param-*` headers of one call. A parameter that is absent or null has none. */
export function paramHeaders(
  declarations: readonly HeaderDeclaration[],
  args: unknown,
): { [name: string]: string } {
  const headers: { [name: string]: string } = {};
  for (const { name, path } of declarations) {
    let value: unknown = args;
    for (const key of path) {
      value = isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    if (typeof value === "number" && !Number.isFinite(value)) continue;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      headers[`Mcp-Param-${name}`] = encodeHeaderValue(String(value));
    }
  }
  return headers;
}

/** The plain text if a header can carry it, else `=?base64?…?=`. */
function encodeHeaderValue(text: string): string {
  const isPlain = text !== "" && text === text.trim() && /^[\t\x20-\x7e]*$/.test(text) &&
    !(text.startsWith("=?base64?") && text.endsWith("?="));
  return isPlain ? text : `=?base64?${new TextEncoder().encode(text).toBase64()}?=`;
}
