/** The words of a name in any spelling: `mcp__orders__batchGet` as `mcp`, `orders`, `batch`, `get`. */
export function toolWords(name: string): string[] {
  return name.replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2").toLowerCase()
    .split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/** Maximum of words before a tool's own name, such as a host, a gateway or `functions`. */
const PREFIXES_MAX = 3;

/** Every spelling of a name without some of its first words, the longest first. */
export function toolSpellings(name: string): string[] {
  const words = toolWords(name);
  return words.slice(0, PREFIXES_MAX + 1).map((_, from) => words.slice(from).join(""));
}
