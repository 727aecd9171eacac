import type { ASTNode } from "@marcbachmann/cel-js";

/** The direct subexpressions of an expression. */
export function childrenOf(node: ASTNode): ASTNode[] {
  const parts: readonly unknown[] = Array.isArray(node.args) ? node.args.flat() : [node.args];
  return parts.filter(isNode);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
