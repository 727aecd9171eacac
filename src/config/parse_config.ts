import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from "yaml";
import { GateError } from "../model/errors.ts";
import type { KeyPath } from "./known_keys.ts";
import { type ConfigProblem, describeProblems } from "./problems.ts";
import { type Config, ConfigSchema } from "./schema.ts";

/** A larger file is not a configuration. */
export const CONFIG_BYTES_MAX = 4_194_304;

/**
 * Parses the text of a configuration file; JSON is YAML.
 *
 * @param file name for messages.
 * @throws {GateError} `ERR_CONFIG` that names file, line, key, problem, nearest known key and remedy.
 */
export function parseConfig(text: string, file: string): Config {
  if (text.length > CONFIG_BYTES_MAX) {
    throw configError(file, null, [{
      key: "",
      path: [],
      problem: `is larger than ${CONFIG_BYTES_MAX} characters`,
      remedy: "Keep data out of the configuration",
    }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw new GateError(
      "ERR_CONFIG",
      `Cannot read "${file}" (line ${lines.linePos(broken.pos[0]).line}): ${broken.message}`,
      { hint: "Correct the YAML there; JSON is accepted too" },
    );
  }
  refuseProto(document, lines, file);
  const value = toValue(document, file) ?? {};
  const parsed = ConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = describeProblems(ConfigSchema, parsed.error.issues, value);
  throw configError(file, (path) => lineOf(document, lines, path), problems);
}

/** An error for a problem that the schema cannot see, such as two settings in conflict. */
export function configError(
  file: string,
  lineAt: ((path: KeyPath) => number | null) | null,
  problems: readonly ConfigProblem[],
): GateError {
  const described = problems.map((found) => {
    const line = lineAt?.(found.path) ?? null;
    const subject = found.key === "" ? "" : `"${found.key}" `;
    return {
      place: line === null ? "" : ` (line ${line})`,
      text: `${subject}${found.problem}`,
      remedy: found.remedy,
    };
  });
  const [only] = described;
  if (described.length === 1 && only !== undefined) {
    return new GateError("ERR_CONFIG", `Cannot use "${file}"${only.place}: ${only.text}`, {
      hint: only.remedy,
    });
  }
  const list = described.map(({ place, text, remedy }) => `\n  ${text}${place}. ${remedy}`);
  return new GateError(
    "ERR_CONFIG",
    `Cannot use "${file}": ${described.length} problems${list.join("")}`,
    { hint: "Correct each of them" },
  );
}

/** Refuses the key `__proto__`: an object cannot keep it, so the schema would silently drop it. */
function refuseProto(document: Document, lines: LineCounter, file: string): void {
  visit(document, {
    Pair(_, { key }) {
      if (keyText(key) !== "__proto__") return;
      const line = isNode(key) && key.range ? ` (line ${lines.linePos(key.range[0]).line})` : "";
      throw new GateError("ERR_CONFIG", `Cannot use "${file}"${line}: "__proto__" is not a name`, {
        hint: "Choose another name",
      });
    },
  });
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new GateError("ERR_CONFIG", `Cannot read "${file}": ${String(error)}`, {
      hint: "Use fewer aliases",
    });
  }
}

/** The line of a key, or of the nearest parent that the file holds. */
function lineOf(document: Document, lines: LineCounter, path: KeyPath): number | null {
  let node: unknown = document.contents;
  let line: number | null = null;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(step));
      if (pair === undefined) return line;
      if (isNode(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
      node = pair.value;
    } else {
      node = isSeq(node) ? node.items[Number(step)] : null;
      if (isNode(node) && node.range) line = lines.linePos(node.range[0]).line;
    }
  }
  return line;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
