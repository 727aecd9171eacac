import type { z } from "zod";

/** A place in a configuration: keys and list positions from the root. */
export type KeyPath = readonly PropertyKey[];

type Schema = z.core.$ZodType;
export type ObjectShape = { readonly [key: string]: Schema };

/**
 * The keys that a schema knows at a path.
 *
 * @returns the keys of every object the path can lead to; empty where any key is allowed.
 */
export function knownKeys(schema: Schema, path: KeyPath): string[] {
  const keys = schemasAt(schema, path).flatMap(objectShapes).flatMap((shape) => Object.keys(shape));
  return [...new Set(keys)];
}

/** Every schema that a path can lead to; a union on the path gives several. */
export function schemasAt(schema: Schema, path: KeyPath): Schema[] {
  let reached = [schema];
  for (const step of path) reached = reached.flatMap((candidate) => descend(candidate, step));
  return reached;
}

/** The choices of a union, in order; a schema that is not a union is its own only choice. */
export function choicesOf(schema: Schema): Schema[] {
  const definition = definitionOf(schema);
  return definition.type === "union" ? [...definition.options] : [schema];
}

/** The shapes of all objects among the choices of a schema, including nested choices. */
export function objectShapes(schema: Schema): ObjectShape[] {
  const definition = definitionOf(schema);
  if (definition.type === "union") return definition.options.flatMap(objectShapes);
  return definition.type === "object" ? [definition.shape] : [];
}

/** The values that a schema accepts, where it lists them. */
export function literalsOf(schema: Schema): unknown[] {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "union":
      return definition.options.flatMap(literalsOf);
    case "literal":
      return definition.values;
    case "enum":
      return Object.values(definition.entries);
    case "boolean":
      return [true, false];
    default:
      return [];
  }
}

export function isList(schema: Schema): boolean {
  return definitionOf(schema).type === "array";
}

/** The keys that an object must have. */
export function requiredKeys(shape: ObjectShape): string[] {
  return Object.keys(shape).filter((key) => shape[key]?._zod.optin === undefined);
}

function descend(schema: Schema, step: PropertyKey): Schema[] {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "union":
      return definition.options.flatMap((choice) => descend(choice, step));
    case "object": {
      const field = Object.hasOwn(definition.shape, step)
        ? definition.shape[String(step)]
        : undefined;
      return field === undefined ? [] : [field];
    }
    case "record":
      return [definition.valueType];
    case "array":
      return [definition.element];
    default:
      return [];
  }
}

/** The definition of a schema, without the wrappers that add a default. */
function definitionOf(schema: Schema): z.core.$ZodTypes["_zod"]["def"] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "default":
    case "prefault":
    case "optional":
    case "nullable":
    case "readonly":
      return definitionOf(def.innerType);
    default:
      return def;
  }
}
