import type { Environment } from "@marcbachmann/cel-js";
import { isFields } from "../../model/json/fields.ts";

/**
 * Declares the variable `args` with the types of a tool's input schema, so that the CEL type
 * checker finds wrong names and types.
 *
 * @param extraNames arguments that a condition may name although the schema does not.
 */
export function declareArguments(
  environment: Environment,
  inputSchema: unknown,
  extraNames: ReadonlySet<string>,
): void {
  const types = createTypes(environment, inputSchema);
  const properties = propertiesOf(types.resolve(inputSchema));
  if (properties === null) {
    environment.registerVariable("args", "map");
    return;
  }
  const fields = types.fieldsOf(properties, 0);
  for (const name of extraNames) fields[name] ??= "dyn";
  environment.registerType("Arguments", { fields });
  environment.registerVariable("args", "Arguments");
}

/** Names of the arguments that a schema declares; null if it does not list any. */
export function argumentNames(inputSchema: unknown): string[] | null {
  const properties = propertiesOf(resolveReference(inputSchema, inputSchema));
  return properties === null ? null : Object.keys(properties);
}

/** Whether a schema explicitly allows further arguments. */
export function welcomesMore(inputSchema: unknown): boolean {
  const schema = resolveReference(inputSchema, inputSchema);
  const more = isFields(schema) ? schema.additionalProperties : undefined;
  return more === true || isFields(more) ||
    (isFields(schema) && isFields(schema.patternProperties));
}

/** The schema at a path of property names; undefined where the schema says nothing. */
export function schemaAt(inputSchema: unknown, path: readonly string[]): unknown {
  let schema = resolveReference(inputSchema, inputSchema);
  for (const name of path) {
    const properties = propertiesOf(schema);
    if (properties === null || !Object.hasOwn(properties, name)) return undefined;
    schema = resolveReference(properties[name], inputSchema);
  }
  return schema;
}

type JsonObject = { readonly [key: string]: unknown };
type Fields = { [name: string]: string };

/** Deeper or wider schemas are dynamic: their type errors appear at run time only. */
const DEPTH_MAX = 6;
const FIELDS_MAX = 1_000;

interface Types {
  readonly resolve: (schema: unknown) => unknown;
  readonly fieldsOf: (properties: JsonObject, depth: number) => Fields;
}

function createTypes(environment: Environment, root: unknown): Types {
  let fieldCount = 0;
  let typeCount = 0;

  function fieldsOf(properties: JsonObject, depth: number): Fields {
    const fields: Fields = Object.create(null);
    for (const [name, schema] of Object.entries(properties)) {
      fields[name] = ++fieldCount > FIELDS_MAX ? "dyn" : typeOf(schema, depth + 1);
    }
    return fields;
  }

  function typeOf(reference: unknown, depth: number): string {
    const schema = resolveReference(reference, root);
    if (!isFields(schema) || depth > DEPTH_MAX) return "dyn";
    switch (schemaType(schema)) {
      case "string":
        return "string";
      case "number":
      case "integer":
        return "double";
      case "boolean":
        return "bool";
      case "array": {
        const item = typeOf(schema.items, depth + 1);
        return item === "dyn" ? "list" : `list<${item}>`;
      }
      case "object": {
        const properties = propertiesOf(schema);
        if (properties === null || welcomesMore(schema)) return "map";
        const name = `Argument${++typeCount}`;
        environment.registerType(name, { fields: fieldsOf(properties, depth) });
        return name;
      }
      default:
        return "dyn";
    }
  }

  return { resolve: (schema) => resolveReference(schema, root), fieldsOf };
}

/** The only type of a schema; null if it has none or several. */
function schemaType(schema: JsonObject): string | null {
  if (schema.anyOf !== undefined || schema.oneOf !== undefined || schema.allOf !== undefined) {
    return null;
  }
  if (typeof schema.type === "string") return schema.type;
  const values = Array.isArray(schema.enum) ? schema.enum : "const" in schema ? [schema.const] : [];
  const types = new Set(values.map((value) => typeof value));
  const [only] = types;
  return types.size === 1 && only !== undefined && only !== "object" ? only : null;
}

/** Follows `$ref` into the same schema; anything else is returned as it is. */
function resolveReference(schema: unknown, root: unknown): unknown {
  let current = schema;
  for (let step = 0; step < 10; step++) {
    if (!isFields(current) || typeof current.$ref !== "string") return current;
    current = pointerTarget(root, current.$ref);
  }
  return undefined;
}

function pointerTarget(root: unknown, pointer: string): unknown {
  if (pointer !== "#" && !pointer.startsWith("#/")) return undefined;
  let target = root;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, key)) {
      return undefined;
    }
    target = (target as JsonObject)[key];
  }
  return target;
}

function propertiesOf(schema: unknown): JsonObject | null {
  return isFields(schema) && isFields(schema.properties) ? schema.properties : null;
}
