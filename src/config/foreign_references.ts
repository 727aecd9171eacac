import { toVariable } from "./literal_secrets.ts";
import { escapeReferences, findClosingBrace } from "./secrets.ts";

/**
 * Translates the references of other clients; `${env:NAME}` is the same here.
 *
 * Only references that this function makes take effect. In a client's file `${exec:…}` and
 * `${file:…}` mean nothing, so they are escaped to plain text: the author of that file must not run
 * a command or read a file here.
 *
 * @param inputs descriptions of the values that VS Code asks for, by id
 */
export function convertReferences(
  text: string,
  inputs: ReadonlyMap<string, string>,
  note: (what: string) => void,
): string {
  let converted = "";
  let plain = "";
  let from = 0;
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", from)) {
    const end = findClosingBrace(text, start + 2);
    const inner = text.slice(start + 2, Math.max(end, start + 2));
    const known = end === -1 ? null : convertReference(inner, inputs, note);
    if (known === null) {
      plain += text.slice(from, start + 2);
      from = start + 2;
      continue;
    }
    plain += text.slice(from, start);
    from = end + 1;
    if (!known.isReference) plain += known.text;
    else {
      // Dollars directly before a reference stand for half as many.
      converted += escapeReferences(plain).replace(/\$+$/, (dollars) => dollars + dollars) +
        known.text;
      plain = "";
    }
  }
  plain += text.slice(from);
  const escaped = escapeReferences(plain);
  if (escaped !== plain) note("${exec:…}, ${file:…} and the like in it are only text here");
  return converted + escaped;
}

/** @returns the replacement for `${inner}`; null if it is not a reference of a client */
function convertReference(
  inner: string,
  inputs: ReadonlyMap<string, string>,
  note: (what: string) => void,
): { readonly text: string; readonly isReference: boolean } | null {
  const whole = `\${${inner}}`;
  const reference = (variable: string) => ({ text: `\${env:${variable}}`, isReference: true });
  const plain = (text: string) => ({ text, isReference: false });
  if (inner.startsWith("input:")) {
    const id = inner.slice("input:".length);
    const made = reference(toVariable(id));
    const described = inputs.get(id);
    note(`"${whole}" became "${made.text}"${described ? ` (${described})` : ""}`);
    return made;
  }
  if (inner === "userHome") return reference("HOME");
  if (inner === "workspaceFolder") {
    note(`"${whole}" became ".", the folder of toolgate.yaml`);
    return plain(".");
  }
  if (inner === "pathSeparator" || inner === "/") return plain("/");
  const variable = /^(?:env:([^{}$:=\s]+)|([A-Z_][A-Z0-9_]*))(:-.*)?$/s.exec(inner);
  if (variable === null) {
    if (!/^(exec|file):/.test(inner)) note(`"${whole}" is unknown here and stays as it is`);
    return null;
  }
  if (variable[3] !== undefined) note(`the default in "${whole}" was dropped`);
  return reference(variable[1] ?? variable[2]!);
}
