import { nearest } from "../../model/nearest.ts";

/**
 * The message for a member that a built-in lacks; null if it exists or this is not a built-in.
 *
 * The check asks the engine itself: it will run the program, and may have more members than
 * TypeScript's declarations.
 *
 * @param builtIn the name of the value's type, such as `Array`, or of the object, such as `Math`.
 */
export function judgeBuiltIn(builtIn: string, name: string): string | null {
  const namespace = NAMESPACES.get(builtIn);
  const members = namespace ?? INSTANCES.get(builtIn);
  if (members === undefined || name in members) return null;
  const remedy = EQUIVALENTS.get(`${builtIn}.${name}`) ??
    nearest(name, Object.getOwnPropertyNames(members), 1)[0];
  const owner = builtIn.replace(/Constructor$/, "");
  const absent = namespace === undefined
    ? `${article(builtIn)} has no "${name}"`
    : `There is no ${owner}.${name}`;
  if (remedy === undefined) return absent;
  return `${absent}; use ${namespace === undefined ? remedy : `${owner}.${remedy}`}`;
}

function article(builtIn: string): string {
  const word = WORDS.get(builtIn) ?? builtIn;
  return `${/^[aeiou]/i.test(word) ? "An" : "A"} ${word}`;
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["Array", "array"],
  ["String", "string"],
  ["Number", "number"],
  ["Boolean", "boolean"],
]);

const NAMESPACES: ReadonlyMap<string, object> = new Map<string, object>([
  ["Math", Math],
  ["JSON", JSON],
  ["Reflect", Reflect],
  ["Intl", Intl],
  ["ObjectConstructor", Object],
  ["ArrayConstructor", Array],
  ["PromiseConstructor", Promise],
]);

const INSTANCES: ReadonlyMap<string, object> = new Map<string, object>([
  ["Array", Array.prototype],
  ["String", String.prototype],
  ["Number", Number.prototype],
  ["Boolean", Boolean.prototype],
  ["Date", Date.prototype],
  ["Map", Map.prototype],
  ["Set", Set.prototype],
  ["RegExp", RegExp.prototype],
]);

/** Members under their names in other languages, with their names in JavaScript. */
const EQUIVALENTS: ReadonlyMap<string, string> = new Map([
  ["Array.contains", "includes"],
  ["Array.size", "length"],
  ["Array.count", "length"],
  ["Array.add", "push"],
  ["Array.append", "push"],
  ["Array.each", "forEach"],
  ["Array.first", "at(0)"],
  ["Array.last", "at(-1)"],
  ["Array.unique", "[...new Set(list)]"],
  ["Array.sum", "reduce((sum, n) => sum + n, 0)"],
  ["Array.groupBy", "Object.groupBy(list, key)"],
  ["String.contains", "includes"],
  ["String.size", "length"],
  ["String.format", "a template string"],
  ["Map.length", "size"],
  ["Map.put", "set"],
  ["Map.includes", "has"],
  ["Set.length", "size"],
  ["Set.push", "add"],
  ["Set.includes", "has"],
  ["Date.format", "toISOString() or Intl.DateTimeFormat"],
]);
