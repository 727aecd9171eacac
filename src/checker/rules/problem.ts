import type ts from "typescript";

/** One way in which an argument does not fit its parameter. */
export interface ArgumentProblem {
  readonly node: ts.Node;
  /** Names from the argument to the value; empty for any element of a list. */
  readonly path: readonly string[];
  readonly kind: "missing" | "unknown" | "unknowns" | "type" | "choice" | "promise";
  readonly text: string;
  /** The parameter that was probably meant. */
  readonly near?: string;
  /** The missing parameters, or the unknown names. */
  readonly names?: readonly string[];
}

/** Renders a problem as a sentence that names the tool. */
export function renderProblem(tool: string, problem: ArgumentProblem): string {
  const name = renderPath(problem.path);
  switch (problem.kind) {
    case "missing":
      return name === ""
        ? `"${tool}" needs ${problem.text}`
        : `"${name}" of "${tool}" needs ${problem.text}`;
    case "unknown":
      return `"${tool}" has no parameter "${name}"${problem.text}`;
    case "unknowns":
      return name === ""
        ? `"${tool}" has no ${problem.text}`
        : `"${name}" of "${tool}" has no ${problem.text}`;
    case "promise":
      return `${subject(tool, name)} is a Promise; put await before it`;
    case "type":
    case "choice":
      return `${subject(tool, name)} must be ${problem.text}`;
  }
}

/** `lines[0].quantity` */
function renderPath(path: readonly string[]): string {
  return path.map((name, index) => {
    if (/^\d*$/.test(name)) return `[${name}]`;
    return index === 0 ? name : `.${name}`;
  }).join("");
}

function subject(tool: string, name: string): string {
  return name === "" ? `The argument of "${tool}"` : `"${name}" of "${tool}"`;
}
