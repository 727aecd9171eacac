import ts from "typescript";
import { isUncertain } from "./certainty.ts";
import { wholeType } from "./impossible.ts";
import {
  describeKind,
  elementOf,
  isFlagged,
  isOpaque,
  membersOf,
  type ProgramView,
  toolAround,
  unwrap,
} from "./types.ts";

/** Finds code that runs without an error, but does not give the result that the author meant. */
export function checkMistakes(view: ProgramView, node: ts.Node): void {
  if (ts.isArrowFunction(node)) checkBlockBody(view, node);
  else if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    if (operator === ts.SyntaxKind.PlusEqualsToken) checkSum(view, node);
    else if (ARITHMETIC.has(operator)) checkArithmetic(view, node);
  } else if (ts.isCallExpression(node)) {
    checkParse(view, node);
    checkCallback(view, node);
  }
}

const ARITHMETIC: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.AsteriskToken,
  ts.SyntaxKind.SlashToken,
  ts.SyntaxKind.PercentToken,
]);

/** `(x) => { id: x.id }`: a block with a label, not an object. */
function checkBlockBody(view: ProgramView, node: ts.ArrowFunction): void {
  if (!ts.isBlock(node.body)) return;
  const [statement, ...others] = node.body.statements;
  if (statement === undefined || others.length > 0 || !ts.isLabeledStatement(statement)) return;
  let inner: ts.Statement = statement;
  while (ts.isLabeledStatement(inner)) inner = inner.statement;
  if (!ts.isExpressionStatement(inner)) return;
  view.report(
    node.body,
    "This function returns nothing: the braces are a block; write ({ … }) for an object",
  );
}

/** Names of fields that do not hold numbers. */
const WORDS =
  /(?:^|_)(?:date|time|day|created|updated|due|name|title|status|email|label|subject|city|country|currency|description)$|(?:Date|Time|Day|_at|At|Name|Title|Status|Email)$/;

/** `b.date - a.date`: a text that is not a number becomes NaN. */
function checkArithmetic(view: ProgramView, node: ts.BinaryExpression): void {
  const word = [node.left, node.right].map(unwrap).find((side) => isWord(view, side));
  if (word === undefined) return;
  const name = word.getText(view.file).slice(0, 60);
  const remedy = isSortedBy(node)
    ? "use a.localeCompare(b) to sort texts"
    : "use Date.parse(…) for times";
  view.advise(word, `${name} is a text, so that this gives NaN; ${remedy}`);
}

function isWord(view: ProgramView, side: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(side)) return false;
  const symbol = view.checker.getSymbolAtLocation(side.name);
  if (toolAround(symbol?.valueDeclaration ?? symbol?.declarations?.[0]) === null) return false;
  const members = membersOf(wholeType(view, side));
  const isChoice = members.every((member) =>
    isFlagged(member, ts.TypeFlags.StringLiteral) &&
    Number.isNaN(Number((member as ts.StringLiteralType).value))
  );
  return isChoice ||
    (WORDS.test(side.name.text) &&
      members.every((member) => isFlagged(member, ts.TypeFlags.StringLike)));
}

/** Whether this is the return value of a function that `sort` calls. */
function isSortedBy(node: ts.Node): boolean {
  let at = node.parent;
  while (ts.isParenthesizedExpression(at) || ts.isReturnStatement(at) || ts.isBlock(at)) {
    at = at.parent;
  }
  const call = at.parent;
  return ts.isArrowFunction(at) && ts.isCallExpression(call) &&
    /\b(?:sort|toSorted)$/.test(call.expression.getText());
}

/** `total += x.price.toFixed(2)` with a number: JavaScript appends the text instead of adding. */
function checkSum(view: ProgramView, node: ts.BinaryExpression): void {
  const sum = unwrap(node.left);
  if (!ts.isIdentifier(sum)) return;
  const type = wholeType(view, sum);
  if (!isFlagged(type, ts.TypeFlags.NumberLike) || isUncertain(view, sum)) return;
  const added = view.checker.getTypeAtLocation(unwrap(node.right));
  if (isText(added)) view.report(node.right, joinedMessage(sum.text));
}

function joinedMessage(name: string): string {
  return `This is a text: + puts it behind the number in "${name}"; put Number(…) around it`;
}

function isText(type: ts.Type): boolean {
  return membersOf(type).every((member) => isFlagged(member, ts.TypeFlags.StringLike));
}

/** `JSON.parse(await tools.orders.list())`: the result is not a text. */
function checkParse(view: ProgramView, call: ts.CallExpression): void {
  const [argument] = call.arguments;
  if (call.expression.getText(view.file) !== "JSON.parse" || argument === undefined) return;
  const type = view.checker.getTypeAtLocation(unwrap(argument));
  const isValue = !isOpaque(type) &&
    membersOf(type).every((member) =>
      isFlagged(member, ts.TypeFlags.Object) && !isOpaque(member) &&
      member.getSymbol()?.name !== "String"
    );
  if (!isValue || isUncertain(view, unwrap(argument))) return;
  const kind = describeKind(view.checker, type);
  if (kind === "a Promise") return;
  view.report(argument, `This is ${kind} already, not JSON text; leave out JSON.parse`);
}

const PREDICATES = new Set("filter some every find findIndex findLast findLastIndex".split(" "));

/** Reports callbacks that return nothing although a value is used, and sums that become a text. */
function checkCallback(view: ProgramView, call: ts.CallExpression): void {
  const callee = call.expression;
  const [callback, initial] = call.arguments;
  if (!ts.isPropertyAccessExpression(callee) || callback === undefined) return;
  const method = callee.name.text;
  const isMap = method === "map" || method === "flatMap";
  if (!isMap && !PREDICATES.has(method) && method !== "reduce") return;
  if (!ts.isArrowFunction(callback) && !ts.isFunctionExpression(callback)) return;
  const list = view.checker.getTypeAtLocation(callee.expression);
  if (elementOf(view.checker, list) === undefined) return;
  const [signature] = view.checker.getTypeAtLocation(callback).getCallSignatures();
  const given = signature?.getReturnType();
  if (given === undefined) return;
  if (method === "reduce") {
    const start = initial === undefined ? undefined : view.checker.getTypeAtLocation(initial);
    const isSum = start !== undefined && isFlagged(start, ts.TypeFlags.NumberLike);
    if (isSum && isText(given)) {
      view.report(callback.body, joinedMessage(callback.parameters[0]?.name.getText() ?? "sum"));
    }
    return;
  }
  const isUsed = !ts.isExpressionStatement(call.parent);
  const isNothing = isFlagged(given, ts.TypeFlags.Void) && ts.isBlock(callback.body) &&
    callback.body.statements.length > 0 && !isLabelled(callback.body);
  if (!isNothing || !isUsed) return;
  const message = `${method} needs what this function gives, and it gives nothing; write return`;
  if (isMap) view.advise(callee.name, message);
  else view.report(callee.name, message);
}

function isLabelled(body: ts.Block): boolean {
  return body.statements.some(ts.isLabeledStatement);
}
