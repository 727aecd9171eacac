/**
 * Names that a program can write.
 *
 * An upstream's own spelling stays where it is a valid identifier. Every other character becomes
 * `_`; a leading digit gets a `_` before it, a reserved word one after it. Two names with the same
 * identifier are never merged: the first one keeps it, the other is quarantined.
 */

/** Reserved words, and members that JavaScript or the sandbox itself gives a meaning. */
const RESERVED = new Set(
  ("break case catch class const continue debugger default delete do else enum export extends " +
    "false finally for function if import in instanceof new null return super switch this throw " +
    "true try typeof var void while with yield let static implements interface package private " +
    "protected public await async arguments eval undefined NaN Infinity " +
    "__proto__ constructor prototype then toJSON $search $describe").split(" "),
);

/**
 * Scripts whose letters have been in Unicode so long that every engine and compiler knows them:
 * newer letters are valid in one and an error in the other.
 */
const SETTLED =
  "[\\u0000-\\u058f\\u05d0-\\u05ea\\u0620-\\u06ff\\u0900-\\u0c5b\\u0c5d-\\u0cdb\\u0cdd-\\u0eff" +
  "\\u10a0-\\u11ff\\u1e00-\\u1fff\\u3040-\\u30ff\\u3105-\\u312f\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3]";
const START = `(?:[_$]|(?=${SETTLED})\\p{ID_Start})`;
const CONTINUE = `(?:\\$|(?=${SETTLED})\\p{ID_Continue})`;
const IDENTIFIER = new RegExp(`^${START}${CONTINUE}*$`, "u");
const STARTS_IDENTIFIER = new RegExp(`^${START}`, "u");
const NOT_CONTINUE = new RegExp(`(?!${CONTINUE})[^]`, "gu");

/** Whether a program can use a text as a name, unchanged. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text) && !RESERVED.has(text);
}

/** Whether a name can be a property of an object type without quotes. Reserved words can. */
export function isPropertyName(text: string): boolean {
  return IDENTIFIER.test(text) && text !== "__proto__";
}

/** The spelling of a name in a program. Every text has one. */
export function toIdentifier(name: string): string {
  let identifier = name.normalize("NFC").replace(NOT_CONTINUE, "_");
  if (!STARTS_IDENTIFIER.test(identifier)) identifier = `_${identifier}`;
  return RESERVED.has(identifier) ? `${identifier}_` : identifier;
}

export interface NameAssignment {
  /** Name to identifier, for every name that got one. */
  readonly identifiers: ReadonlyMap<string, string>;
  /** Name to the name that holds its identifier. */
  readonly collisions: ReadonlyMap<string, string>;
}

/**
 * Gives each name its identifier.
 *
 * @param wanted name to the identifier that it asks for.
 * @param held identifier to its present name. A name keeps its identifier while it exists: a new
 *   tool can never take one that programs already use.
 */
export function assignNames(
  wanted: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, string> = new Map(),
): NameAssignment {
  const groups = new Map<string, string[]>();
  for (const [name, identifier] of wanted) {
    const group = groups.get(identifier);
    if (group) group.push(name);
    else groups.set(identifier, [name]);
  }
  const identifiers = new Map<string, string>();
  const collisions = new Map<string, string>();
  for (const [identifier, names] of groups) {
    const winner = pickHolder(identifier, names, held.get(identifier));
    identifiers.set(winner, identifier);
    for (const name of names) if (name !== winner) collisions.set(name, winner);
  }
  return { identifiers, collisions };
}

/**
 * The present holder, else the name that equals the identifier, else the first in code unit order.
 */
function pickHolder(identifier: string, names: readonly string[], held: string | undefined) {
  if (held !== undefined && names.includes(held)) return held;
  if (names.includes(identifier)) return identifier;
  return names.reduce((first, name) => (name < first ? name : first));
}
