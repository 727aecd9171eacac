import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import type { KeyPath } from "../../config/known_keys.ts";
import type { PolicyText } from "./document.ts";
import { PolicyError } from "./policy_error.ts";

/** A larger file is not a policy. */
export const POLICY_TEXT_MAX = 4_194_304;
/** More aliases are rejected as an attempt to exhaust the memory. */
const ALIASES_MAX = 100;
/** The most keys of one map. */
const KEYS_MAX = 10_000;

/** The value of a YAML text, and the lines of its keys. */
export interface PolicyYaml {
  readonly value: unknown;
  /** 1-based line of the key, or of its nearest parent in the text. */
  readonly lineOf: (path: KeyPath) => number;
}

/**
 * Parses untrusted YAML (JSON is YAML).
 *
 * @throws {PolicyError} if it is too large, is not YAML, repeats a key or nests or expands too far.
 */
export function parsePolicyYaml({ path, text }: PolicyText): PolicyYaml {
  const fail = (line: number, message: string): never => {
    throw new PolicyError([{ path, line, severity: "error", kind: "syntax", message, near: null }]);
  };
  if (text.length > POLICY_TEXT_MAX) {
    return fail(0, `the file has ${text.length} characters, the limit is ${POLICY_TEXT_MAX}`);
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
    const [broken] = document.errors;
    if (broken !== undefined) {
      const isDeep = broken.message.includes("call stack");
      const message = isDeep ? "the file is nested too deeply" : broken.message;
      return fail(lines.linePos(broken.pos[0]).line, message);
    }
    const odd = findOddKey(document);
    if (odd !== null) {
      return fail(odd.offset === null ? 0 : lines.linePos(odd.offset).line, odd.message);
    }
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    return { value, lineOf: createLineFinder(document, lines) };
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    if (error instanceof RangeError) return fail(0, "the file is nested too deeply");
    return fail(0, error instanceof Error ? error.message : "the file is not YAML");
  }
}

interface OddKey {
  readonly offset: number | null;
  readonly message: string;
}

/**
 * The first key that is repeated, is not a text, or cannot be a name of plain data.
 *
 * The parser's own search for repeated keys takes quadratic time, so the parser does not use it.
 */
function findOddKey(document: Document): OddKey | null {
  let odd: OddKey | null = null;
  visit(document, {
    Map(_, { items, range }) {
      if (items.length > KEYS_MAX) {
        odd = { offset: range?.[0] ?? null, message: `more than ${KEYS_MAX} keys in one place` };
        return visit.BREAK;
      }
      const names = new Set<unknown>();
      for (const { key } of items) {
        const offset = isNode(key) ? key.range?.[0] ?? null : null;
        if (!isScalar(key)) odd ??= { offset, message: "a list or map cannot be a key" };
        else if (key.value === "__proto__") {
          odd ??= { offset, message: '"__proto__" cannot be a key' };
        } else if (names.has(String(key.value))) {
          odd ??= { offset, message: `"${key.value}" is there twice` };
        } else names.add(String(key.value));
      }
      return odd === null ? undefined : visit.BREAK;
    },
  });
  return odd;
}

function createLineFinder(document: Document, lines: LineCounter): PolicyYaml["lineOf"] {
  const pairsByMap = new WeakMap<YAMLMap, Map<string, Pair>>();
  const pairOf = (map: YAMLMap, name: string): Pair | undefined => {
    let pairs = pairsByMap.get(map);
    if (pairs === undefined) {
      pairs = new Map(map.items.map((pair) => [keyText(pair.key), pair]));
      pairsByMap.set(map, pairs);
    }
    return pairs.get(name);
  };
  return (path) => {
    let node: unknown = document.contents;
    let line = 1;
    for (const step of path) {
      let next: unknown;
      if (isMap(node)) {
        const pair = pairOf(node, String(step));
        if (pair === undefined) return line;
        next = pair.value;
        node = pair.key;
      } else if (isSeq(node)) {
        next = node.items[Number(step)];
        node = next;
      } else {
        return line;
      }
      if (isNode(node) && node.range) line = lines.linePos(node.range[0]).line;
      node = next;
    }
    return line;
  };
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
