import ts from "typescript";
import { promiseMessage } from "./awaits.ts";
import {
  calledTool,
  elementOf,
  hasPromise,
  isAlwaysPromise,
  isOpaque,
  isPromise,
  membersOf,
  type ProgramView,
  shorten,
  toolOfType,
  unwrap,
} from "./types.ts";

/** Finds promises that the program does not await, and promises that it uses as values. */
export function checkPromises(view: ProgramView, node: ts.Node): void {
  if (ts.isExpressionStatement(node)) checkFloating(view, node.expression);
  else if (ts.isVariableDeclaration(node)) checkUnusedPromise(view, node);
  else if (ts.isAwaitExpression(node)) checkAwaited(view, node);
  else if (ts.isCallExpression(node)) checkCall(view, node);
  else if (ts.isTemplateSpan(node)) checkText(view, node.expression);
  else if (ts.isBinaryExpression(node)) checkOperator(view, node);
  else if (ts.isSpreadAssignment(node) || ts.isSpreadElement(node)) {
    checkValue(view, node.expression);
  } else if (ts.isForOfStatement(node)) checkValue(view, node.expression);
  else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) checkTest(view, node.expression);
  else if (ts.isConditionalExpression(node)) checkTest(view, node.condition);
  else if (ts.isElementAccessExpression(node)) checkElement(view, node);
  else if (ts.isPrefixUnaryExpression(node)) checkTest(view, node.operand);
}

/** Checks the result of a program: promises inside the result are never awaited. */
export function checkResult(view: ProgramView, expression: ts.Expression): void {
  const inner = unwrap(expression);
  checkUncalled(view, inner);
  if (ts.isObjectLiteralExpression(inner)) {
    for (const property of inner.properties) {
      if (ts.isPropertyAssignment(property)) checkResultPart(view, property.initializer);
      else if (ts.isShorthandPropertyAssignment(property)) checkResultPart(view, property.name);
    }
    return;
  }
  if (isPromiseArray(view.checker, settledType(view.checker, inner))) {
    view.report(inner, "The result is an array of Promises; return await Promise.all(…) of it");
  }
}

function settledType(checker: ts.TypeChecker, expression: ts.Expression): ts.Type {
  const type = declaredType(checker, expression);
  return checker.getAwaitedType(type) ?? type;
}

/** A variable's declared type is enough to find promises, and cheaper than the narrowed type. */
function declaredType(checker: ts.TypeChecker, expression: ts.Expression): ts.Type {
  const inner = unwrap(expression);
  const symbol = ts.isIdentifier(inner) ? checker.getSymbolAtLocation(inner) : undefined;
  return symbol === undefined
    ? checker.getTypeAtLocation(expression)
    : checker.getTypeOfSymbol(symbol);
}

function checkResultPart(view: ProgramView, expression: ts.Expression): void {
  const type = declaredType(view.checker, expression);
  if (isPromiseArray(view.checker, type)) {
    view.report(expression, "This is an array of Promises; put await Promise.all(…) around it");
  } else if (isAlwaysPromise(type)) {
    view.report(expression, "This is a Promise; put await before it");
  } else if (ts.isObjectLiteralExpression(unwrap(expression))) checkResult(view, expression);
}

/** Reports a statement whose value is a promise: the program does not wait for it. */
function checkFloating(view: ProgramView, expression: ts.Expression): void {
  const inner = unwrap(expression);
  if (ts.isBinaryExpression(inner)) {
    const operator = inner.operatorToken.kind;
    const isLogical = operator === ts.SyntaxKind.AmpersandAmpersandToken ||
      operator === ts.SyntaxKind.BarBarToken || operator === ts.SyntaxKind.QuestionQuestionToken ||
      operator === ts.SyntaxKind.CommaToken;
    if (isLogical) checkFloating(view, inner.right);
    return;
  }
  if (ts.isConditionalExpression(inner)) {
    checkFloating(view, inner.whenTrue);
    return checkFloating(view, inner.whenFalse);
  }
  if (!ts.isCallExpression(inner) && !ts.isNewExpression(inner)) return;
  const type = view.checker.getTypeAtLocation(inner);
  if (isPromiseArray(view.checker, type)) {
    view.report(inner, "Nothing waits for these calls; write await Promise.all(…) around them");
  } else if (hasPromise(type) && !isOpaque(type) && !isHandled(inner)) {
    view.report(inner, floatingMessage(view, inner));
  }
}

/** Whether `.catch(f)` or `.then(f, g)` shows that the author does not want to wait. */
function isHandled(expression: ts.CallExpression | ts.NewExpression): boolean {
  if (!ts.isCallExpression(expression)) return false;
  const callee = expression.expression;
  if (!ts.isPropertyAccessExpression(callee)) return false;
  if (callee.name.text === "catch") return expression.arguments.length > 0;
  if (callee.name.text === "then" && expression.arguments.length > 1) return true;
  const receiver = unwrap(callee.expression);
  return callee.name.text === "finally" && ts.isCallExpression(receiver) && isHandled(receiver);
}

function floatingMessage(view: ProgramView, call: ts.CallExpression | ts.NewExpression): string {
  const tool = ts.isCallExpression(call) ? calledTool(view.checker, call) : null;
  if (tool !== null) {
    return `Nothing waits for tools.${tool.name}(…); put await before it`;
  }
  const callee = shorten(call.expression.getText(view.file), 40);
  const what = /^[\w$.]+$/.test(callee) ? `${callee}(…)` : "this Promise";
  return `Nothing waits for ${what}; put await before it`;
}

/** `const order = tools.orders.get(…)` that nothing reads afterwards. */
function checkUnusedPromise(view: ProgramView, declaration: ts.VariableDeclaration): void {
  const { initializer, name } = declaration;
  if (initializer !== undefined && ts.isArrayBindingPattern(name)) checkValue(view, initializer);
  if (initializer === undefined || !ts.isIdentifier(name)) return;
  const call = unwrap(initializer);
  if (!ts.isCallExpression(call)) return;
  const type = view.checker.getTypeAtLocation(call);
  if (!isAlwaysPromise(type) && !isPromiseArray(view.checker, type)) return;
  if (countIdentifier(view.file, name.text) > 1) return;
  view.report(call, floatingMessage(view, call));
}

function countIdentifier(file: ts.SourceFile, name: string): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) count++;
    if (count < 2) ts.forEachChild(node, visit);
  };
  visit(file);
  return count;
}

function isPromiseArray(checker: ts.TypeChecker, type: ts.Type): boolean {
  const element = elementOf(checker, type);
  return element !== undefined && !isOpaque(element) && isAlwaysPromise(element);
}

/** `await list.map(async …)` waits for nothing. */
function checkAwaited(view: ProgramView, node: ts.AwaitExpression): void {
  const type = view.checker.getTypeAtLocation(node.expression);
  if (isPromiseArray(view.checker, type)) {
    view.report(node, "await does not wait for an array of Promises; write await Promise.all(…)");
  } else checkUncalled(view, node.expression);
}

/** `await tools.orders.list` and `return tools.orders.list`, without a call. */
export function checkUncalled(view: ProgramView, expression: ts.Expression): void {
  const inner = unwrap(expression);
  if (!ts.isPropertyAccessExpression(inner) && !ts.isElementAccessExpression(inner)) return;
  const type = view.checker.getTypeAtLocation(inner);
  const tool = type.getCallSignatures().length > 0 ? toolOfType(type) : null;
  if (tool === null) return;
  view.report(inner, `tools.${tool.name} is not called here; write tools.${tool.name}({ … })`);
}

/** Methods that use the return value of their callback as a truth value or an order. */
const SYNCHRONOUS_CALLBACKS = new Set(
  "filter some every find findIndex findLast findLastIndex sort toSorted".split(" "),
);

/** Methods that turn a list into a text. */
const TEXT_METHODS = new Set("join toString toLocaleString".split(" "));

/** Functions that need a value; a promise looks like an empty object to them. */
const VALUE_FUNCTIONS = new Set(
  ("JSON.stringify Object.keys Object.values Object.entries Object.assign Object.fromEntries " +
    "String Number Array.from Array.isArray structuredClone parseInt parseFloat console.log " +
    "console.info console.warn console.error console.debug console.table").split(" "),
);

function checkCall(view: ProgramView, call: ts.CallExpression): void {
  const callee = call.expression;
  if (ts.isPropertyAccessExpression(callee) && TEXT_METHODS.has(callee.name.text)) {
    checkText(view, callee.expression);
  }
  const [first] = call.arguments;
  if (first === undefined) return;
  const name = plainName(callee);
  if (VALUE_FUNCTIONS.has(name)) {
    for (const argument of call.arguments) checkArgument(view, argument);
  } else if (/^Promise\.(?:all|allSettled|any|race)$/.test(name)) checkValue(view, first);
  else if (ts.isPropertyAccessExpression(callee)) {
    const method = callee.name.text;
    if (method !== "forEach" && !SYNCHRONOUS_CALLBACKS.has(method)) return;
    const receiver = view.checker.getTypeAtLocation(callee.expression);
    if (elementOf(view.checker, receiver) === undefined) return;
    if (method === "forEach") checkForEach(view, callee.name, first);
    else checkPredicate(view, callee.name, first);
  }
}

/** The name of a callee such as `Object.keys` or `parseInt`; empty for longer expressions. */
function plainName(callee: ts.Expression): string {
  if (ts.isIdentifier(callee)) return callee.text;
  const isMember = ts.isPropertyAccessExpression(callee) && ts.isIdentifier(callee.expression);
  return isMember ? `${callee.expression.text}.${callee.name.text}` : "";
}

function checkArgument(view: ProgramView, argument: ts.Expression): void {
  const type = declaredType(view.checker, argument);
  if (isPromiseArray(view.checker, type)) {
    view.report(argument, "This is an array of Promises; put await Promise.all(…) around it");
  } else checkValue(view, argument);
}

function returnsPromise(checker: ts.TypeChecker, callback: ts.Expression): boolean {
  const signatures = checker.getTypeAtLocation(callback).getCallSignatures();
  return signatures.length > 0 &&
    signatures.every((signature) => isAlwaysPromise(signature.getReturnType()));
}

function checkForEach(view: ProgramView, name: ts.Node, callback: ts.Expression): void {
  if (!returnsPromise(view.checker, callback)) return;
  view.report(
    name,
    "forEach does not wait; write for (const … of …) { await … } or await Promise.all(list.map(…))",
  );
}

function checkPredicate(view: ProgramView, name: ts.Node, callback: ts.Expression): void {
  if (!returnsPromise(view.checker, callback)) return;
  const method = name.getText(view.file);
  view.report(
    name,
    `${method} does not wait for an async function; get the values with Promise.all first`,
  );
}

const VALUE_OPERATORS = new Set([
  ts.SyntaxKind.PlusToken,
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.AsteriskToken,
  ts.SyntaxKind.SlashToken,
  ts.SyntaxKind.PercentToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
  ts.SyntaxKind.PlusEqualsToken,
  ts.SyntaxKind.MinusEqualsToken,
]);
const TEST_OPERATORS = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

function checkOperator(view: ProgramView, node: ts.BinaryExpression): void {
  const operator = node.operatorToken.kind;
  if (VALUE_OPERATORS.has(operator)) {
    checkText(view, node.left);
    checkText(view, node.right);
  } else if (TEST_OPERATORS.has(operator)) checkTest(view, node.left);
}

function checkValue(view: ProgramView, expression: ts.Expression): void {
  if (!mayBePromise(expression)) return;
  const type = declaredType(view.checker, expression);
  if (isOpaque(type) || !membersOf(type).every(isPromise)) return;
  view.report(unwrap(expression), promiseMessage(view, expression, ""));
}

/** Reports promises, also in lists, that become a text or number: `[object Promise]` or NaN. */
function checkText(view: ProgramView, expression: ts.Expression): void {
  if (
    mayBePromise(expression) && isPromiseArray(view.checker, declaredType(view.checker, expression))
  ) {
    view.report(
      unwrap(expression),
      "This is an array of Promises; put await Promise.all(…) around the list first",
    );
  } else checkValue(view, expression);
}

/** Asking for the type of each part of a long sum would take quadratic time. */
function mayBePromise(expression: ts.Expression): boolean {
  const inner = unwrap(expression);
  return ts.isIdentifier(inner) || ts.isCallExpression(inner) || ts.isNewExpression(inner) ||
    ts.isPropertyAccessExpression(inner) || ts.isElementAccessExpression(inner) ||
    ts.isConditionalExpression(inner);
}

/** Reports a test of a call's promise, which is always true; one from a cache may be absent. */
function checkTest(view: ProgramView, expression: ts.Expression): void {
  const inner = unwrap(expression);
  if (!ts.isCallExpression(inner) || calledTool(view.checker, inner) === null) return;
  checkValue(view, inner);
}

/** Checks `tools.orders.list({})[0]`; `checkField` judges text keys. */
function checkElement(view: ProgramView, node: ts.ElementAccessExpression): void {
  if (ts.isStringLiteralLike(node.argumentExpression)) return;
  checkValue(view, node.expression);
}
