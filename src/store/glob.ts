/** A matcher for names with `*` (any text) and `?` (one character); everything else is literal. */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (!isGlob(pattern)) return (name) => name === pattern;
  return (name) => matches(pattern, name);
}

export function isGlob(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/** Linear in practice: on a mismatch only the last `*` takes one character more. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let in_ = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const wanted = pattern[in_];
    if (wanted === "*") {
      star = in_++;
      starAt = at;
    } else if (wanted === "?" || (wanted !== undefined && wanted === name[at])) {
      in_++;
      at++;
    } else if (star !== -1) {
      in_ = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (pattern[in_] === "*") in_++;
  return in_ === pattern.length;
}
