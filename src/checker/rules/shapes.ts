import ts from "typescript";
import { describeType, elementOf, isFlagged, isOpaque, listNames } from "./types.ts";

export function propertyNames(checker: ts.TypeChecker, type: ts.Type): string[] {
  return checker.getPropertiesOfType(type).map((property) => property.name);
}

export function requiredNames(checker: ts.TypeChecker, type: ts.Type): string[] {
  if (isOpaque(type)) return [];
  return checker.getPropertiesOfType(type).filter((property) => !isOptional(property)).map((
    property,
  ) => property.name);
}

function isOptional(property: ts.Symbol): boolean {
  return (property.flags & ts.SymbolFlags.Optional) !== 0;
}

export function isOpen(checker: ts.TypeChecker, target: ts.Type): boolean {
  return checker.getIndexInfosOfType(target).length > 0;
}

/** Whether other names are mistakes. A tool without declared parameters may still accept some. */
export function isClosed(checker: ts.TypeChecker, target: ts.Type): boolean {
  return !isOpen(checker, target) && checker.getPropertiesOfType(target).length > 0;
}

/** Whether a tool's schema allows other names; they may still be mistakes. */
export function isMarkedOpen(target: ts.Type): boolean {
  return target.getSymbol()?.declarations?.some((declaration) =>
    declaration.getText().startsWith("{ /*open*/")
  ) ?? false;
}

/** Whether a parameter's declaration allows null. Its type does not show this. */
export function allowsNull(parameter: ts.Symbol): boolean {
  const text = parameter.valueDeclaration?.getText() ?? "null";
  return /\b(?:null|any|unknown)\b/.test(text);
}

export function isPlainObject(checker: ts.TypeChecker, type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.Object | ts.TypeFlags.Intersection) &&
    elementOf(checker, type) === undefined;
}

/** The required names of a type, for `… needs …`. */
export function renderNeeds(
  checker: ts.TypeChecker,
  type: ts.Type,
  required: readonly string[],
): string {
  if (required.length === 0) return describeType(checker, type);
  return `the parameter${required.length === 1 ? "" : "s"} ${
    listNames(required.map((name) => `"${name}"`))
  }`;
}
