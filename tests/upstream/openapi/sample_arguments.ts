import { follow, isSchemaObject } from "../../../src/catalog/types/resolve_schema.ts";

/** Numbers from 0 to 1 that are the same in every run. */
export function createDice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

const WORDS = ["blue", "a b", "x/y?z", "ü&=+", "50%", "it's (ok)!", "1,2", "a|b"];
const DEPTH_MAX = 6;

/** A value for a schema: what is required, and some of the rest. Not every keyword is kept. */
export function sampleValue(
  root: unknown,
  schema: unknown,
  dice: () => number,
  depth = 0,
): unknown {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(dice() * list.length)];
  if (!isSchemaObject(schema)) return "any";
  const inner = (each: unknown) => sampleValue(root, each, dice, depth + 1);
  if (typeof schema.$ref === "string") {
    return depth > DEPTH_MAX ? undefined : inner(follow(root, schema, []).schema ?? true);
  }
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return pick(schema.enum.filter((each) => each !== ""));
  if (Array.isArray(schema.anyOf)) {
    // A file is given as a text: both sides send that as it is.
    const isFile = (each: unknown) =>
      isSchemaObject(each) && /base64|resource/.test(JSON.stringify(each));
    return inner(pick(schema.anyOf.filter((each) => !isFile(each))) ?? schema.anyOf[0]);
  }
  if (Array.isArray(schema.allOf)) {
    const { allOf, ...rest } = schema;
    const parts = [...allOf, ...(rest.properties === undefined ? [] : [rest])].map(inner);
    return parts.every(isSchemaObject) ? Object.assign({}, ...parts) : parts[0];
  }
  const [type = schema.properties === undefined ? "string" : "object"] = [schema.type].flat();
  switch (type) {
    case "integer":
    case "number":
      return Math.min(Number(schema.maximum ?? 7), Math.max(Number(schema.minimum ?? 7), 7));
    case "boolean":
      return dice() < 0.5;
    case "null":
      return null;
    case "array":
      return depth > DEPTH_MAX ? [] : [inner(schema.items), inner(schema.items)];
    case "object": {
      const required = Array.isArray(schema.required) ? schema.required : [];
      const properties = Object.entries(schema.properties ?? {})
        .filter(([name]) => required.includes(name) || (depth < DEPTH_MAX && dice() < 0.6))
        .map(([name, each]) => [name, inner(each)] as const)
        .filter(([, value]) => value !== undefined);
      return Object.fromEntries(properties);
    }
  }
  let text = pick(WORDS) ?? "";
  while (text.length < Number(schema.minLength ?? 0)) text += "x";
  return text.slice(0, Number(schema.maxLength ?? 1_000));
}
