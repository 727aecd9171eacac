/**
 * A pattern in a form that compiles with the flag `u`, as JSON Schema wants it.
 *
 * Without the flag, unknown escapes, lone braces and ranges with a class are allowed. Text anchors
 * and leading flags come from Python, Java and Go.
 *
 * @returns null if it is not known what the pattern means.
 * @see JSON Schema 2020-12 Core, 6.4
 */
export function toUnicodePattern(pattern: string): string | null {
  if (pattern.length > PATTERN_CHARS_MAX) return null;
  if (compiles(pattern)) return pattern;
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const rest = flags === null ? pattern : pattern.slice(flags[0].length);
  const rewritten = rewrite(rest);
  if (rewritten === null) return null;
  const whole = flags === null ? rewritten : `(?${[...new Set(flags[1])].join("")}:${rewritten})`;
  return compiles(whole) ? whole : null;
}

const PATTERN_CHARS_MAX = 10_000;
const SYNTAX = new Set("^$\\.*+?()[]{}|/");
const LETTER_ESCAPES = /^[bBdDwWsSfnrtvpPuxck0-9]$/;

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}

function rewrite(pattern: string): string | null {
  let out = "";
  let inClass = false;
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? "";
    const next = pattern[index + 1] ?? "";
    if (char === "\\") {
      const escape = escapeOf(next, inClass);
      if (escape === null) return null;
      out += escape;
      index++;
    } else if (inClass) {
      if (char === "]") inClass = false;
      // `[\w-.]`: a class cannot be the end of a range.
      const isBesideClass = char === "-" &&
        (/\\[dDwWsS]$/.test(out) || /^\\[dDwWsS]/.test(pattern.slice(index + 1)));
      const isAtEdge = out.endsWith("[") || next === "]";
      out += isBesideClass && !isAtEdge ? "\\-" : char;
    } else if (char === "[") {
      // JavaScript does not have POSIX classes.
      if (/^\[\[:/.test(pattern.slice(index))) return null;
      inClass = true;
      out += char;
      // In other languages, a `]` at the start of a class is a literal; JavaScript would end the
      // class.
      if (next === "]") return null;
    } else if (char === "{") {
      const quantifier = /^\{\d+(,\d*)?\}/.exec(pattern.slice(index))?.[0];
      // Python reads {,3} as 0 to 3, JavaScript as a text.
      if (quantifier === undefined && next === ",") return null;
      out += quantifier ?? "\\{";
      index += (quantifier?.length ?? 1) - 1;
    } else out += char === "}" || char === "]" ? `\\${char}` : char;
  }
  return inClass ? null : out;
}

/** The escape for a backslash and this character; null if its meaning is not known. */
function escapeOf(char: string, inClass: boolean): string | null {
  if (char === "") return null;
  if (LETTER_ESCAPES.test(char) || SYNTAX.has(char)) return `\\${char}`;
  if (char === "-" && inClass) return "\\-";
  if (!inClass && char === "A") return "^";
  if (!inClass && (char === "z" || char === "Z")) return "$";
  return /[A-Za-z]/.test(char) ? null : char;
}
