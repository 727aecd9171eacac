import ts from "typescript";
import { toolSpellings, toolWords } from "../../model/tool_words.ts";
import { memberName, type ProgramView, unwrap } from "./types.ts";

/**
 * Finds the declared tool that one of the names means: `orders_list`, `mcp__orders__list`,
 * `orders/list`.
 *
 * @returns `server.tool`; null if no name means a tool.
 */
export function meantTool(view: ProgramView, names: readonly string[]): string | null {
  const declared = declaredTools(view);
  for (const name of names) {
    const spellings = new Set(toolSpellings(name.slice(0, NAME_CHARS_MAX)));
    const isMeant = (tool: string) => spellings.has(toolWords(tool).join(""));
    const found = declared.find(isMeant) ??
      declared.find((tool) => isMeant(tool.slice(tool.indexOf(".") + 1)));
    if (found !== undefined) return found;
  }
  return null;
}

const NAME_CHARS_MAX = 300;

/** The tools of a declared server; empty if there is no such server. */
export function toolsOfServer(view: ProgramView, server: string): readonly string[] {
  return declaredTools(view).filter((tool) => tool.startsWith(`${server}.`));
}

function declaredTools(view: ProgramView): string[] {
  const { checker, main } = view;
  const symbol = checker.resolveName("tools", main, ts.SymbolFlags.Value, false);
  if (symbol === undefined) return [];
  const servers = checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol));
  return servers.flatMap((server) => {
    if (server.name.startsWith("$")) return [];
    const tools = checker.getPropertiesOfType(checker.getTypeOfSymbol(server));
    return tools.map((tool) => `${server.name}.${tool.name}`);
  });
}

/**
 * Names in a call that may mean a tool: text arguments, or the called expression.
 *
 * @param node the first name of the call, such as `mcp` in `mcp.callTool({ name: "orders.list" })`.
 * @returns an empty list if the node is not part of a call.
 */
export function calledNames(node: ts.Expression): string[] {
  const names = [];
  let at: ts.Node = node;
  if (ts.isIdentifier(node)) names.push(node.text);
  for (; isMemberOf(at.parent, at); at = at.parent) {
    const key = ts.isPropertyAccessExpression(at.parent)
      ? at.parent.name.text
      : ts.isStringLiteralLike(at.parent.argumentExpression)
      ? at.parent.argumentExpression.text
      : "";
    names.push(key);
  }
  const call = at.parent;
  if (!ts.isCallExpression(call) || call.expression !== at) return [];
  return [...textsOf(call.arguments[0]), names.join(".")];
}

function isMemberOf(
  parent: ts.Node,
  node: ts.Node,
): parent is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  return (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) &&
    parent.expression === node;
}

/** `"orders.list"` and `{ name: "orders.list" }`. */
function textsOf(argument: ts.Expression | undefined): string[] {
  if (argument === undefined) return [];
  const value = unwrap(argument);
  if (ts.isStringLiteralLike(value)) return [value.text];
  if (!ts.isObjectLiteralExpression(value)) return [];
  return value.properties.flatMap((property) =>
    ts.isPropertyAssignment(property) && ts.isStringLiteralLike(property.initializer) &&
      /^(?:name|tool|tool_?name)$/i.test(memberName(property.name))
      ? [property.initializer.text]
      : []
  );
}
