type Schema = { readonly [keyword: string]: unknown };

const DEPTH_MAX = 5;
const REFERENCES_MAX = 30;

/**
 * A value that a schema allows.
 *
 * @param optional whether members that are not required are given too.
 */
export function sampleOf(schema: unknown, optional: boolean): unknown {
  return sample({ root: schema, optional }, schema, 0);
}

interface Sampling {
  readonly root: unknown;
  readonly optional: boolean;
}

function sample(sampling: Sampling, schema: unknown, depth: number): unknown {
  const parts = flatten(sampling.root, schema, 0);
  if (parts.const !== undefined) return parts.const;
  if (Array.isArray(parts.enum)) return parts.enum[0];
  const type = Array.isArray(parts.type) ? parts.type[0] : parts.type;
  if (type === "array") return [sample(sampling, parts.items, depth + 1)];
  if (type === "number" || type === "integer") return 1;
  if (type === "boolean") return true;
  if (type === "null") return null;
  if (type !== "object" && !isObject(parts.properties)) return "x";
  const properties = isObject(parts.properties) ? parts.properties : {};
  const required = Array.isArray(parts.required) ? parts.required.map(String) : [];
  const names = sampling.optional && depth < DEPTH_MAX ? Object.keys(properties) : required;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(properties, name) && depth < REFERENCES_MAX)
      .map((name) => [name, sample(sampling, properties[name], depth + 1)]),
  );
}

/** A schema with its references followed, all of `allOf` and one alternative put together. */
function flatten(root: unknown, schema: unknown, depth: number): Schema {
  if (!isObject(schema) || depth > REFERENCES_MAX) return {};
  const { $ref, allOf, anyOf, oneOf, ...own } = schema;
  const first = [anyOf, oneOf].flatMap((list) => Array.isArray(list) ? list.slice(0, 1) : []);
  const others = [
    ...(typeof $ref === "string" ? [follow(root, $ref)] : []),
    ...(Array.isArray(allOf) ? allOf : []),
    ...first,
  ];
  return others.map((other) => flatten(root, other, depth + 1)).reduce(join, own);
}

function join(one: Schema, other: Schema): Schema {
  const required = [one.required, other.required].flatMap((list) =>
    Array.isArray(list) ? list : []
  );
  const properties = Object.assign({}, one.properties, other.properties);
  return {
    ...one,
    ...other,
    ...(required.length > 0 ? { required } : {}),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
  };
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function follow(root: unknown, reference: string): unknown {
  return reference.split("/").slice(1).reduce<unknown>(
    (at, name) => isObject(at) ? at[name.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined,
    root,
  );
}
