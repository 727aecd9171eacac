import {
  BrokenReferenceError,
  followReference,
  isNode,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
} from "./document.ts";

/** The side that a schema describes: input leaves out read-only parts, output write-only parts. */
export type Side = "input" | "output";

/** Finds what `readOnly` and `writeOnly` hide from one side, also behind references. */
export interface ReadOnly {
  hides(schema: unknown, side: Side): boolean;
  /** Properties that a schema and the parts of its `allOf` hide. */
  hiddenNames(schema: Node, side: Side): readonly string[];
  /** The target of a reference if the target requires one of these names, else null. */
  requiring(schema: Node, names: ReadonlySet<string>): Node | null;
}

const DEPTH_MAX = 8;

/** @see OpenAPI 3.0.3, Schema Object, `readOnly`: `required` counts for the other side only. */
export function createReadOnly(document: OpenapiDocument): ReadOnly {
  const follow = (schema: unknown): Node => {
    try {
      return nodeOf(followReference(document, schema));
    } catch (error) {
      if (error instanceof BrokenReferenceError) return {};
      throw error;
    }
  };
  const hides = (schema: unknown, side: Side, depth = 0): boolean => {
    if (!isNode(schema) || depth > DEPTH_MAX) return false;
    const keyword = side === "input" ? "readOnly" : "writeOnly";
    if (schema[keyword] === true) return true;
    if (schema[keyword] === false) return false;
    if (typeof schema.$ref === "string") return hides(follow(schema), side, depth + 1);
    return listOf(schema.allOf).some((part) => hides(part, side, depth + 1));
  };
  const hiddenNames = (schema: unknown, side: Side, depth = 0): string[] => {
    const node = follow(schema);
    if (depth > DEPTH_MAX) return [];
    return [
      ...Object.entries(nodeOf(node.properties)).filter(([, inner]) => hides(inner, side))
        .map(([name]) => name),
      ...listOf(node.allOf).flatMap((part) => hiddenNames(part, side, depth + 1)),
    ];
  };
  const requires = (schema: unknown, names: ReadonlySet<string>, depth = 0): boolean => {
    const node = follow(schema);
    return depth <= DEPTH_MAX &&
      (listOf(node.required).some((name) => names.has(String(name))) ||
        listOf(node.allOf).some((part) => requires(part, names, depth + 1)));
  };
  return {
    hides: (schema, side) => hides(schema, side),
    hiddenNames: (schema, side) => hiddenNames(schema, side),
    requiring: (schema, names) => requires(schema, names) ? follow(schema) : null,
  };
}
