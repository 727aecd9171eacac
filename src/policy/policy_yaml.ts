import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { KeyPath } from "../config/known_keys.ts";
import type { PolicyText } from "./policy_document.ts";
import { PolicyError } from "./policy_error.ts";

/** A larger file is no policy. */
export const POLICY_TEXT_MAX = 4_194_304;
/** Aliases beyond this are taken for an attempt to blow up the memory. */
const ALIASES_MAX = 100;

/** The value of a YAML text and a way back from its keys to lines. */
export interface PolicyYaml {
  readonly value: unknown;
  /** 1-based line of the key, or of the nearest parent that is there. */
  readonly lineOf: (path: KeyPath) => number;
}

/**
 * Parses YAML (JSON is YAML) that nobody has checked yet.
 *
 * @throws {PolicyError} if it is too large, is no YAML, repeats a key or nests or expands too far.
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
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [broken] = document.errors;
    if (broken !== undefined) return fail(lines.linePos(broken.pos[0]).line, broken.message);
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    return { value, lineOf: (keys) => lineOf(document, lines, keys) };
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    if (error instanceof RangeError) return fail(0, "the file is nested too deeply");
    return fail(0, error instanceof Error ? error.message : "the file is no YAML");
  }
}

function lineOf(document: Document, lines: LineCounter, path: KeyPath): number {
  let node: unknown = document.contents;
  let line = 1;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(step));
      if (pair === undefined) return line;
      if (isNode(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (isNode(node) && node.range) line = lines.linePos(node.range[0]).line;
    } else {
      return line;
    }
  }
  return line;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
