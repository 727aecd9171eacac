import ts from "typescript";
import { isAdded } from "./probes.ts";
import { isOpaque, PROGRAM_FILE, type ProgramView, unwrap } from "./types.ts";

/**
 * Whether a variable or property may hold other values than its declared type says.
 *
 * For TypeScript the variable of `let id = 0` is a number; JavaScript also allows `id = row.id`.
 * The answer needs a walk over the program: ask only if there is something to report.
 */
export function isUncertain(view: ProgramView, expression: ts.Node): boolean {
  const declared = view.checker.getTypeAtLocation(expression);
  const others = otherTypes(view, expression);
  return others === null ||
    others.some((type) => isOpaque(type) || !view.checker.isTypeAssignableTo(type, declared));
}

/**
 * Types of the other values that the program assigns to a variable or property.
 *
 * @returns null if these types are unknown.
 */
export function otherTypes(view: ProgramView, expression: ts.Node): readonly ts.Type[] | null {
  const place = ts.isExpression(expression) ? unwrap(expression) : expression;
  if (ts.isPropertyAccessExpression(place)) {
    const isOwn = isOfProgram(view.checker.getSymbolAtLocation(place.name)?.valueDeclaration);
    return isOwn && isAdded(view, place.name.text) ? null : [];
  }
  if (!ts.isIdentifier(place)) return [];
  const symbol = ts.isShorthandPropertyAssignment(place.parent)
    ? view.checker.getShorthandAssignmentValueSymbol(place.parent)
    : view.checker.getSymbolAtLocation(place);
  const declaration = symbol?.valueDeclaration;
  if (symbol === undefined || !isOfProgram(declaration)) return [];
  if (ts.isParameter(declaration)) {
    return declaration.type === undefined && declaration.initializer !== undefined ? null : [];
  }
  const isPlain = ts.isVariableDeclaration(declaration) && declaration.type === undefined &&
    (declaration.parent.flags & ts.NodeFlags.Const) === 0;
  return isPlain ? assignedTypes(view, symbol) : [];
}

function isOfProgram(declaration: ts.Declaration | undefined): declaration is ts.Declaration {
  return declaration?.getSourceFile().fileName === PROGRAM_FILE;
}

function assignedTypes(view: ProgramView, symbol: ts.Symbol): readonly ts.Type[] | null {
  const types: ts.Type[] = [];
  const isSame = (node: ts.Node): boolean =>
    ts.isIdentifier(node) && node.text === symbol.name &&
    view.checker.getSymbolAtLocation(node) === symbol;
  const isInside = (node: ts.Node): boolean =>
    isSame(node) || (ts.forEachChild(node, isInside) ?? false);
  /** True if a pattern or a loop assigns the variable. */
  const visit = (node: ts.Node): boolean => {
    if (ts.isForOfStatement(node) && isSame(node.initializer)) return true;
    const isAssignment = ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken;
    if (isAssignment && isSame(node.left)) types.push(view.checker.getTypeAtLocation(node.right));
    else if (isAssignment && isPattern(node.left) && isInside(node.left)) return true;
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(view.main) ? null : types;
}

function isPattern(node: ts.Node): boolean {
  return ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node);
}
