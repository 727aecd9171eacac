import type { CatalogSnapshot } from "../../model/catalog.ts";
import type { Tool } from "../../model/tool.ts";
import { toolSpellings, toolWords } from "../../model/tool_words.ts";

/**
 * The tools meant by a name in the spelling of another host: `orders_list`, `mcp__orders__list`,
 * `orders/list`, `functions.orders_list`, `listOrders`, or `list_orders` alone.
 *
 * Tools that the caller may not use never change the answer.
 *
 * @returns at most three, none if the name fits no particular tool.
 */
export function meantTools(
  snapshot: CatalogSnapshot,
  name: string,
  isVisible: (tool: Tool) => boolean,
): readonly Tool[] {
  const index = indexOf(snapshot);
  const text = name.slice(0, NAME_CHARS_MAX);
  for (const find of [index.full, index.own]) {
    const found = spelled(find, text, isVisible);
    if (found.length > 0) return found;
  }
  const words = index.unordered.get(unorderedKey(toolWords(text)));
  return (words ?? []).filter(isVisible).slice(0, MEANT_MAX);
}

/** The meant tools whose server is part of the name. */
export function fullyNamed(
  snapshot: CatalogSnapshot,
  name: string,
  isVisible: (tool: Tool) => boolean,
): readonly Tool[] {
  return spelled(indexOf(snapshot).full, name.slice(0, NAME_CHARS_MAX), isVisible);
}

function spelled(
  index: ReadonlyMap<string, readonly Tool[]>,
  name: string,
  isVisible: (tool: Tool) => boolean,
): readonly Tool[] {
  for (const spelling of toolSpellings(name)) {
    const found = (index.get(spelling) ?? []).filter(isVisible);
    if (found.length > 0) return found.slice(0, MEANT_MAX);
  }
  return [];
}

const NAME_CHARS_MAX = 300;
const MEANT_MAX = 3;

interface NameIndex {
  /** By server and tool. */
  readonly full: ReadonlyMap<string, readonly Tool[]>;
  /** By the tool's own name. */
  readonly own: ReadonlyMap<string, readonly Tool[]>;
  /** By the words of server and tool, in any order. */
  readonly unordered: ReadonlyMap<string, readonly Tool[]>;
}

const indexBySnapshot = new WeakMap<CatalogSnapshot, NameIndex>();

function indexOf(snapshot: CatalogSnapshot): NameIndex {
  const known = indexBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const full = new Map<string, Tool[]>();
  const own = new Map<string, Tool[]>();
  const unordered = new Map<string, Tool[]>();
  for (const tool of snapshot.tools.values()) {
    const words = toolWords(tool.identifier);
    const all = [...toolWords(tool.serverIdentifier), ...words];
    add(full, all.join(""), tool);
    add(own, words.join(""), tool);
    add(unordered, unorderedKey(all), tool);
  }
  const index = { full, own, unordered };
  indexBySnapshot.set(snapshot, index);
  return index;
}

function add(index: Map<string, Tool[]>, key: string, tool: Tool): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [tool]);
  else list.push(tool);
}

/** Gives `get_order` and `orders.get` the same key. */
function unorderedKey(words: readonly string[]): string {
  return words.map((word) => word.length > 3 ? word.replace(/s$/, "") : word).sort().join(" ");
}
