import type ts from "typescript";
import type { ArgumentProblem } from "./problem.ts";
import { isPlainObject, propertyNames } from "./shapes.ts";
import { listNames, membersOf } from "./types.ts";

/** If one name is unknown and one is missing, the unknown name probably means the missing one. */
export function joinMissing(
  problems: readonly ArgumentProblem[],
  absent: readonly ArgumentProblem[],
): ArgumentProblem[] {
  const unknown = problems.filter((problem) => problem.kind === "unknown");
  const [only] = unknown;
  const [name, ...others] = absent.flatMap((problem) => problem.names ?? []);
  const isPair = unknown.length === 1 && name !== undefined && others.length === 0;
  if (!isPair || only === undefined || only.near !== undefined) return [...problems, ...absent];
  const meant = { ...only, text: `; did you mean "${name}"?`, near: name };
  return problems.map((problem) => problem === only ? meant : problem);
}

/** Joins unknown names into one problem, and names the parameter where they belong. */
export function joinUnknown(
  checker: ts.TypeChecker,
  target: ts.Type,
  path: readonly string[],
  problems: readonly ArgumentProblem[],
): ArgumentProblem[] {
  const isStray = (problem: ArgumentProblem) =>
    problem.kind === "unknown" && problem.near === undefined &&
    problem.path.length === path.length + 1;
  const strays = problems.filter(isStray);
  const [first] = strays;
  const names = strays.map((problem) => problem.path.at(-1) ?? "");
  const place = first === undefined ? null : placeFor(checker, first.node, target, names);
  if (first === undefined || (place === null && strays.length === 1)) return [...problems];
  const them = names.length === 1 ? "it" : "them";
  const remedy = place === null
    ? `it takes ${listNames(propertyNames(checker, target))}`
    : `put ${them} into "${place}"`;
  const quoted = listNames(names.map((name) => `"${name}"`));
  const joined: ArgumentProblem = {
    node: first.node,
    path,
    kind: "unknowns",
    names,
    ...place === null ? {} : { near: place },
    text: `parameter${names.length === 1 ? "" : "s"} ${quoted}; ${remedy}`,
  };
  const isAnswered = (problem: ArgumentProblem) =>
    problem.kind === "missing" && problem.path.length === path.length &&
    problem.names?.every((name) => name === place) === true;
  return [joined, ...problems.filter((problem) => !isStray(problem) && !isAnswered(problem))];
}

/** The parameter that has members with all of these names. */
function placeFor(
  checker: ts.TypeChecker,
  node: ts.Node,
  target: ts.Type,
  names: readonly string[],
): string | null {
  const has = (type: ts.Type) =>
    names.every((name) => checker.getPropertyOfType(type, name) !== undefined);
  const found = checker.getPropertiesOfType(target).slice(0, 50).find((property) =>
    membersOf(checker.getTypeOfSymbolAtLocation(property, node)).some((type) =>
      isPlainObject(checker, type) && has(type)
    )
  );
  return found?.name ?? null;
}
