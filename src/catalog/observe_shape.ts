import type { JsonSchema } from "../model/json/json.ts";

/**
 * The shape of results: which types, which properties. A shape never has values, nor property names
 * that may be values: an object whose keys are data (ids, dates, names of people) becomes a record.
 *
 * Shapes are shared between callers that may not see each other's results. For that reason, every
 * name that may not be a field name is left out.
 */
export interface Shape {
  /** JSON types seen, sorted. */
  readonly types: readonly string[];
  readonly properties?: { readonly [name: string]: Shape };
  /** Properties that every such object had. */
  readonly required?: readonly string[];
  /** Elements of arrays. */
  readonly items?: Shape;
  /** Values of an object whose keys are data. */
  readonly values?: Shape;
}

const DEPTH_MAX = 6;
const PROPERTIES_MAX = 40;
const ELEMENTS_MAX = 20;
const NODES_MAX = 500;

/** The shape of one value, within bounds. */
export function inferShape(value: unknown): Shape {
  return infer(value, 0, { nodes: 0 });
}

function infer(value: unknown, depth: number, work: { nodes: number }): Shape {
  if (value === null) return { types: ["null"] };
  if (typeof value !== "object") {
    const type = typeof value;
    return { types: type === "string" || type === "number" || type === "boolean" ? [type] : [] };
  }
  const isArray = Array.isArray(value);
  if (depth >= DEPTH_MAX || work.nodes++ > NODES_MAX) {
    return { types: [isArray ? "array" : "object"] };
  }
  if (isArray) {
    const items = value.slice(0, ELEMENTS_MAX)
      .map((element) => infer(element, depth + 1, work))
      .reduce<Shape | null>((all, shape) => all === null ? shape : mergeShapes(all, shape), null);
    return items === null ? { types: ["array"] } : { types: ["array"], items };
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  const shapes = entries.slice(0, PROPERTIES_MAX + 1)
    .map(([name, member]) => [name, infer(member, depth + 1, work)] as const);
  return shapes.length > 0 && isKeyedByData(shapes)
    ? { types: ["object"], values: mergeAll(shapes.map(([, shape]) => shape)) }
    : {
      types: ["object"],
      properties: Object.fromEntries(shapes),
      required: shapes.map(([name]) => name),
    };
}

/** A word as programmers name fields: no digits in a row, no punctuation of an address or a date. */
const FIELD_NAME = /^[$@_]?[A-Za-z][A-Za-z0-9_$-]{0,47}$/;
const DATA_LIKE = /\d{3}|^[0-9a-f]{8,}$|^[0-9a-f]{4,}-|--/i;

function isKeyedByData(entries: readonly (readonly [string, Shape])[]): boolean {
  if (entries.length > PROPERTIES_MAX) return true;
  if (entries.some(([name]) => !FIELD_NAME.test(name) || DATA_LIKE.test(name))) return true;
  // {"alice": {…}, "bob": {…}}: the same object under several names.
  const [first, ...others] = entries.map(([, shape]) => shape.properties);
  return first !== undefined && others.length > 0 && Object.keys(first).length > 0 &&
    others.every((properties) =>
      properties !== undefined &&
      Object.keys(properties).sort().join("\n") === Object.keys(first).sort().join("\n")
    );
}

function mergeAll(shapes: readonly Shape[]): Shape {
  return shapes.reduce(mergeShapes, { types: [] });
}

/** The shape that describes the values of both shapes. */
export function mergeShapes(a: Shape, b: Shape): Shape {
  const types = [...new Set([...a.types, ...b.types])].sort();
  const items = mergeOptional(a.items, b.items);
  const isObject = a.types.includes("object") || b.types.includes("object");
  return {
    types,
    ...(items === undefined ? {} : { items }),
    ...(isObject ? mergeObjects(a, b) : {}),
  };
}

function mergeOptional(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  return a === undefined || b === undefined ? a ?? b : mergeShapes(a, b);
}

function mergeObjects(a: Shape, b: Shape): Partial<Shape> {
  if (!a.types.includes("object")) return objectPart(b);
  if (!b.types.includes("object")) return objectPart(a);
  const names = [
    ...new Set([...Object.keys(a.properties ?? {}), ...Object.keys(b.properties ?? {})]),
  ];
  const isRecord = a.values !== undefined || b.values !== undefined ||
    names.length > PROPERTIES_MAX;
  if (isRecord) {
    const members = [a.values, b.values].filter((shape) => shape !== undefined);
    const fields = [a, b].flatMap(({ properties }) => Object.values(properties ?? {}));
    return { values: mergeAll([...members, ...fields]) };
  }
  const properties: Record<string, Shape> = Object.create(null);
  for (const name of names) {
    const merged = mergeOptional(ownShape(a, name), ownShape(b, name));
    if (merged !== undefined) properties[name] = merged;
  }
  return {
    properties: { ...properties },
    required: (a.required ?? []).filter((name) => b.required?.includes(name)),
  };
}

function objectPart({ properties, required, values }: Shape): Partial<Shape> {
  return {
    ...(properties === undefined ? {} : { properties }),
    ...(required === undefined ? {} : { required }),
    ...(values === undefined ? {} : { values }),
  };
}

function ownShape(shape: Shape, name: string): Shape | undefined {
  return shape.properties !== undefined && Object.hasOwn(shape.properties, name)
    ? shape.properties[name]
    : undefined;
}

/** A shape as a JSON Schema for the type printer. */
export function shapeToSchema(shape: Shape): JsonSchema {
  const branches = shape.types.map((type) => branchOf(shape, type));
  const [only] = branches;
  if (branches.length === 0 || only === undefined) return true;
  return branches.length === 1 ? only : { anyOf: branches };
}

function branchOf(shape: Shape, type: string): { readonly [keyword: string]: unknown } {
  if (type === "array") {
    return shape.items === undefined ? { type } : { type, items: shapeToSchema(shape.items) };
  }
  if (type !== "object") return { type };
  if (shape.values !== undefined) {
    return { type, additionalProperties: shapeToSchema(shape.values) };
  }
  const properties = Object.entries(shape.properties ?? {})
    .map(([name, property]) => [name, shapeToSchema(property)]);
  return { type, properties: Object.fromEntries(properties), required: shape.required ?? [] };
}
