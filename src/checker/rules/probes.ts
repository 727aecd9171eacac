import ts from "typescript";
import { membersOf, once, type ProgramView, unwrap } from "./types.ts";

/** Whether the program adds a property with this name to an object: `row.customer = …`. */
export function isAdded(view: ProgramView, name: string): boolean {
  return once(
    view,
    `added ${name}`,
    () =>
      some(view.main, (node) => accessedName(node) === name && isWritten(node)) ||
      (/\bObject\s*\.\s*(?:assign|define)/.test(view.file.text) && isGiven(view, name)),
  );
}

/** Whether the program sets a property with this name in any way. */
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

/** Whether this read, or an equal one elsewhere, only tests whether the member exists. */
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

/**
 * The largest expression that becomes `undefined` if an access gives nothing: `a.b?.c[0]` for
 * `a.b`, also in parentheses.
 */
function skippedWith(access: ts.Node): ts.Node {
  let at = access;
  while (true) {
    const { parent } = at;
    const isChain = (ts.isPropertyAccessExpression(parent) ||
      ts.isElementAccessExpression(parent) || ts.isCallExpression(parent)) &&
      parent.expression === at;
    const isSkipped = isChain && (parent.questionDotToken !== undefined ||
      (at !== access && (parent.flags & ts.NodeFlags.OptionalChain) !== 0));
    if (!isSkipped && !ts.isParenthesizedExpression(parent)) return at;
    at = parent;
  }
}

/** Whether another value replaces an access that gives nothing: `a.total ?? 0`. */
export function hasFallback(access: ts.Node): boolean {
  const at = skippedWith(access);
  return ts.isBinaryExpression(at.parent) && CHOICE.has(at.parent.operatorToken.kind) &&
    at.parent.left === at;
}

/**
 * Whether the program continues with a fallback if a place fails: `.catch(…)`, or
 * `try { … } catch { … }`, unless the `catch` only reports the error.
 */
export function isTried(view: ProgramView, node: ts.Node): boolean {
  for (let at = node; at !== view.main; at = at.parent) {
    const { parent } = at;
    if (parent === undefined) return false;
    if (ts.isTryStatement(parent) && parent.tryBlock === at && parent.catchClause !== undefined) {
      if (isFallback(view, parent.catchClause)) return true;
    }
    const isCaught = ts.isPropertyAccessExpression(parent) && parent.expression === at &&
      parent.name.text === "catch" && ts.isCallExpression(parent.parent);
    if (isCaught) return true;
  }
  return false;
}

/** Whether a `catch` calls another tool, or does not use the error. */
function isFallback(view: ProgramView, clause: ts.CatchClause): boolean {
  const text = clause.block.getText(view.file);
  if (/\btools\s*[.[]/.test(text)) return true;
  const variable = clause.variableDeclaration?.name.getText(view.file);
  return variable === undefined ||
    !some(clause.block, (node) => ts.isIdentifier(node) && node.text === variable);
}

/** Whether the program tests for a name: `"github" in tools`, `Object.hasOwn(tools, "github")`. */
export function isAskedFor(view: ProgramView, name: string): boolean {
  return once(view, `asked ${name}`, () =>
    some(view.main, (node) => {
      if (!ts.isStringLiteralLike(node) || node.text !== name) return false;
      const { parent } = node;
      if (ts.isBinaryExpression(parent)) {
        return parent.operatorToken.kind === ts.SyntaxKind.InKeyword && parent.left === node;
      }
      return ts.isCallExpression(parent) &&
        /(?:^|\.)(?:has|hasOwn|hasOwnProperty|includes)$/.test(
          parent.expression.getText(view.file),
        );
    }));
}

/** `if (a.items)`, `typeof a.items`, `a.items === undefined`, `a.items?.list ?? a.data`. */
function isProbe(view: ProgramView, access: ts.Expression): boolean {
  const at = skippedWith(access);
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
  let top: ts.Expression = binary;
  const isChoice = (node: ts.Node): node is ts.Expression =>
    ts.isParenthesizedExpression(node) ||
    (ts.isBinaryExpression(node) && CHOICE.has(node.operatorToken.kind));
  while (isChoice(top.parent)) top = top.parent;
  const flatten = (expression: ts.Expression): ts.Expression[] => {
    const inner = unwrap(expression);
    return ts.isBinaryExpression(inner) && CHOICE.has(inner.operatorToken.kind)
      ? [...flatten(inner.left), ...flatten(inner.right)]
      : [inner];
  };
  return flatten(top);
}

/** Whether one of several guesses is right; a literal as the last resort is not a guess. */
function isThere(view: ProgramView, expression: ts.Expression): boolean {
  if (ts.isAwaitExpression(expression) || ts.isCallExpression(expression)) return true;
  if (!ts.isPropertyAccessExpression(expression)) {
    return ts.isIdentifier(expression) && expression.text !== "undefined";
  }
  const type = view.checker.getTypeAtLocation(expression.expression);
  return membersOf(type).some((member) =>
    view.checker.getPropertyOfType(view.checker.getApparentType(member), expression.name.text) !==
      undefined
  );
}
