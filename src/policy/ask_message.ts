/** Longest rendering of one argument in a message. */
const VALUE_TEXT_MAX = 120;

/** `{amount}` or `{customer.name}`. */
const PLACEHOLDER = /\{([A-Za-z_$][\w$-]*(?:\.[A-Za-z_$][\w$-]*)*)\}/g;

/** Texts that a reader cannot take for words of the message itself. */
const PLAIN_TEXT = /^[\w@.+:/#-]{1,64}$/;

/** Control, bidirectional and zero-width characters: a reader cannot see them or they mislead. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Fills the arguments of a call into the message of an `ask` rule, for a person to read.
 *
 * The arguments come from an agent. A value that is not a plain word is quoted and shortened, so
 * that it cannot pretend to be part of the question.
 */
export function renderAskMessage(template: string, args: unknown): string {
  return template.replaceAll(PLACEHOLDER, (_, path: string) => renderValue(valueAt(args, path)));
}

/** The argument paths that a message names. */
export function messagePaths(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, path = ""]) => path);
}

/** The value at a dotted path of own properties; undefined if there is none. */
export function valueAt(args: unknown, path: string): unknown {
  let value = args;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as { readonly [key: string]: unknown })[key];
  }
  return value;
}

function renderValue(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "(none)";
    case "string":
      return PLAIN_TEXT.test(value) ? value : JSON.stringify(cut(value));
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return value === null ? "null" : Array.isArray(value) ? "[…]" : "{…}";
  }
}

function cut(text: string): string {
  const shown = text.slice(0, VALUE_TEXT_MAX).replaceAll(INVISIBLE, "�");
  return text.length > VALUE_TEXT_MAX ? `${shown}…` : shown;
}
