import ts from "typescript";
import { membersOf, once, type ProgramView, unwrap } from "./checker_types.ts";

/** Whether the program adds a property of this name to something: `row.customer = …`. */
export function isAdded(view: ProgramView, name: string): boolean {
  return once(
    view,
    `added ${name}`,
    () =>
      some(view.main, (node) => accessedName(node) === name && isWritten(node)) ||
      (/\bObject\s*\.\s*(?:assign|define)/.test(view.file.text) && isGiven(view, name)),
  );
}

/** Whether the program gives this name to any property, in whatever way. */
export function isGiven(view: ProgramView, name: string): boolean {
  return once(view, `given ${name}`, () =>
    some(view.main, (node) => {
      if (ts.isStringLiteralLike(node)) return node.text === name;
      if (accessedName(node) === name) return isWritten(node);
      const isMember = ts.isObjectLiteralElementLike(node) || ts.isClassElement(node) ||
        ts.isTypeElement(node);
      return isMember && node.name !== undefined && node.name.getText(view.file) === name;
    }));
}

/** Whether this read, or one like it elsewhere, only asks whether something is there. */
export function isProbed(view: ProgramView, access: ts.Node): boolean {
  const text = access.getText(view.file);
  return once(
    view,
    `probed ${text}`,
    () =>
      some(
        view.main,
        (node) =>
          (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
          node.end - node.getStart(view.file) === text.length &&
          node.getText(view.file) === text && isProbe(view, node),
      ),
  );
}

function some(root: ts.Node, test: (node: ts.Node) => boolean): boolean {
  const visit = (node: ts.Node): boolean => test(node) || (ts.forEachChild(node, visit) ?? false);
  return visit(root);
}

function accessedName(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (!ts.isElementAccessExpression(node)) return null;
  const key = node.argumentExpression;
  return ts.isStringLiteralLike(key) ? key.text : null;
}

function isWritten(access: ts.Node): boolean {
  const { parent } = access;
  if (!ts.isBinaryExpression(parent) || parent.left !== access) return false;
  const operator = parent.operatorToken.kind;
  return operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
}

const EQUALITY: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);
const CHOICE: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.BarBarToken,
]);

/** `if (a.items)`, `typeof a.items`, `a.items === undefined`, `a.items ?? a.data`. */
function isProbe(view: ProgramView, access: ts.Expression): boolean {
  let at: ts.Node = access;
  while (ts.isParenthesizedExpression(at.parent)) at = at.parent;
  const { parent } = at;
  if (ts.isTypeOfExpression(parent) || ts.isIfStatement(parent)) return true;
  if (ts.isPrefixUnaryExpression(parent)) {
    return parent.operator === ts.SyntaxKind.ExclamationToken;
  }
  if (ts.isConditionalExpression(parent)) return parent.condition === at;
  if (ts.isCallExpression(parent)) {
    return parent.expression.getText(view.file) === "Array.isArray";
  }
  if (!ts.isBinaryExpression(parent)) return false;
  const operator = parent.operatorToken.kind;
  if (operator === ts.SyntaxKind.AmpersandAmpersandToken) return parent.left === at;
  if (EQUALITY.has(operator)) {
    const other = parent.left === at ? parent.right : parent.left;
    return /^(?:undefined|null)$/.test(other.getText(view.file));
  }
  return CHOICE.has(operator) && alternatives(parent).some((other) => isThere(view, other));
}

/** All operands of `a ?? b ?? c`. */
function alternatives(binary: ts.BinaryExpression): ts.Expression[] {
  let top = binary;
  while (ts.isBinaryExpression(top.parent) && CHOICE.has(top.parent.operatorToken.kind)) {
    top = top.parent;
  }
  const flatten = (expression: ts.Expression): ts.Expression[] => {
    const inner = unwrap(expression);
    return ts.isBinaryExpression(inner) && CHOICE.has(inner.operatorToken.kind)
      ? [...flatten(inner.left), ...flatten(inner.right)]
      : [inner];
  };
  return flatten(top);
}

/** Whether one of several guesses is right; a literal as the last resort is no guess. */
function isThere(view: ProgramView, expression: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(expression)) {
    return ts.isIdentifier(expression) && expression.text !== "undefined";
  }
  const type = view.checker.getTypeAtLocation(expression.expression);
  return membersOf(type).some((member) =>
    view.checker.getPropertyOfType(view.checker.getApparentType(member), expression.name.text) !==
      undefined
  );
}
