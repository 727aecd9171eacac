import ts from "typescript";
import { type ProgramView, shorten, unwrap } from "./types.ts";

/**
 * Tells the author where to put the `await`: at the call, or where a variable got its value.
 *
 * @param name the member that the program reads; empty if it uses the promise itself.
 */
export function promiseMessage(view: ProgramView, receiver: ts.Node, name: string): string {
  const expression = ts.isExpression(receiver) ? unwrap(receiver) : receiver;
  if (ts.isCallExpression(expression)) {
    const call = `${shorten(expression.expression.getText(view.file), 60)}(…)`;
    return name === "" || !ts.isPropertyAccessExpression(receiver.parent)
      ? `${call} gives a Promise; put await before it`
      : `${call} gives a Promise; write (await ${call}).${name}`;
  }
  if (!ts.isIdentifier(expression)) return "This is a Promise; put await before it";
  const declaration = view.checker.getSymbolAtLocation(expression)?.valueDeclaration;
  const what = `"${expression.text}" is a Promise`;
  if (declaration === undefined || declaration.getSourceFile() !== view.file) {
    return `${what}; put await before it`;
  }
  if (ts.isParameter(declaration)) return `${what}; put await Promise.all(…) around the list first`;
  const { line } = view.place(declaration);
  return `${what}; put await before its value in line ${line}`;
}
