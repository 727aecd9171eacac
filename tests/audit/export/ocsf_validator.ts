/** Checks events against the OCSF schema files, as far as they are there. */
import type { Json } from "../../../src/model/json/json.ts";

type JsonObject = { [name: string]: Json };

export interface OcsfSchema {
  /** Sentences about what is wrong with an event; none if it is right. */
  validate(event: JsonObject): string[];
}

/**
 * Reads the schema from `ocsf/` in `$TOOLGATE_DATA`, or in the folder `shared/data` beside the project.
 *
 * @returns null when there is no such folder: the files are not part of the project.
 */
export async function loadOcsfSchema(eventName: string): Promise<OcsfSchema | null> {
  const beside = new URL("../../../../shared/data", import.meta.url).pathname;
  const folder = `${Deno.env.get("TOOLGATE_DATA") ?? beside}/ocsf`;
  if (!await Deno.stat(`${folder}/dictionary.json`).then(() => true, () => false)) return null;
  const read = async (path: string) =>
    JSON.parse(await Deno.readTextFile(`${folder}/${path}`)) as JsonObject;
  const dictionary = await read("dictionary.json");
  const names = async (path: string) =>
    (await Array.fromAsync(Deno.readDir(`${folder}/${path}`))).map(({ name }) => name);
  const objects = new Map<string, JsonObject>();
  for (const name of await names("objects")) {
    objects.set(name.replace(".json", ""), await read(`objects/${name}`));
  }
  const profiles = new Map<string, JsonObject>();
  for (const name of await names("profiles")) {
    profiles.set(name.replace(".json", ""), await read(`profiles/${name}`));
  }
  const events = new Map<string, JsonObject>();
  for (const name of await names("events")) {
    events.set(name.replace(".json", ""), await read(`events/${name}`));
  }
  const categories = (await read("categories.json")).attributes as JsonObject;
  const schema = { dictionary, objects, profiles, events, categories };
  return { validate: (event) => validateEvent(schema, eventName, event) };
}

interface Schema {
  readonly dictionary: JsonObject;
  readonly objects: ReadonlyMap<string, JsonObject>;
  readonly profiles: ReadonlyMap<string, JsonObject>;
  readonly events: ReadonlyMap<string, JsonObject>;
  readonly categories: JsonObject;
}

/** Attributes of a thing and of what it extends, the thing's own last. */
function collect(
  schema: Schema,
  from: ReadonlyMap<string, JsonObject>,
  name: string,
  active: readonly string[],
): JsonObject {
  const definition = from.get(name);
  if (definition === undefined) return {};
  const parent = typeof definition.extends === "string"
    ? collect(schema, from, definition.extends, active)
    : {};
  const merged: JsonObject = { ...parent };
  for (const [attribute, own] of Object.entries(definition.attributes as JsonObject)) {
    if (attribute === "$include") continue;
    const profile = (own as JsonObject).profile;
    if (typeof profile === "string" && !active.includes(profile)) continue;
    merged[attribute] = mergeAttribute(
      merged[attribute] as JsonObject | undefined,
      own as JsonObject,
    );
  }
  const offered = (definition.profiles ?? []) as string[];
  for (const profile of offered.filter((one) => active.includes(one))) {
    const attributes = schema.profiles.get(profile)?.attributes as JsonObject | undefined;
    for (const [attribute, own] of Object.entries(attributes ?? {})) {
      merged[attribute] = mergeAttribute(
        merged[attribute] as JsonObject | undefined,
        own as JsonObject,
      );
    }
  }
  return merged;
}

function mergeAttribute(base: JsonObject | undefined, own: JsonObject): JsonObject {
  const enums = {
    ...(base?.enum as JsonObject | undefined),
    ...(own.enum as JsonObject | undefined),
  };
  return { ...base, ...own, ...(Object.keys(enums).length === 0 ? {} : { enum: enums }) };
}

function validateEvent(schema: Schema, name: string, event: JsonObject): string[] {
  const active = ((event.metadata as JsonObject | undefined)?.profiles ?? []) as string[];
  const known = new Set<string>();
  for (const one of ["base_event", "application", name]) {
    for (const profile of (schema.events.get(one)?.profiles ?? []) as string[]) known.add(profile);
  }
  const problems = active.filter((profile) => !known.has(profile) || !schema.profiles.has(profile))
    .map((profile) => `metadata.profiles: "${profile}" is not a profile of ${name}`);
  const attributes = {
    ...collect(schema, schema.events, name, active),
    ...classAttributes(schema, name),
  };
  problems.push(...validateAttributes(schema, attributes, event, "", active));
  const activity = event.activity_id as number;
  if (event.type_uid !== (event.class_uid as number) * 100 + activity) {
    problems.push("type_uid does not follow from class_uid and activity_id");
  }
  return problems;
}

/** The numbers of a class and its category, which the schema works out from their definitions. */
function classAttributes(schema: Schema, name: string): JsonObject {
  const definition = schema.events.get(name) as JsonObject;
  const parent = schema.events.get(definition.extends as string) as JsonObject;
  const category = schema.categories[parent.category as string] as JsonObject;
  const classUid = (category.uid as number) * 1_000 + (definition.uid as number);
  const only = (uid: number, caption: Json) => ({
    requirement: "required",
    enum: { [String(uid)]: { caption } },
  });
  return {
    category_uid: only(category.uid as number, category.caption as Json),
    class_uid: only(classUid, definition.caption as Json),
  };
}

function validateAttributes(
  schema: Schema,
  attributes: JsonObject,
  value: JsonObject,
  path: string,
  active: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const [name, attribute] of Object.entries(attributes)) {
    if ((attribute as JsonObject).requirement === "required" && value[name] === undefined) {
      problems.push(`${path}${name} is required`);
    }
  }
  for (const [name, member] of Object.entries(value)) {
    const attribute = attributes[name] as JsonObject | undefined;
    if (attribute === undefined) {
      problems.push(`${path}${name} is not an attribute`);
      continue;
    }
    const entry = (schema.dictionary.attributes as JsonObject)[name] as JsonObject | undefined;
    if (entry === undefined) {
      problems.push(`${path}${name} is not in the dictionary`);
      continue;
    }
    const merged = mergeAttribute(entry, attribute);
    const isArray = merged.is_array === true;
    if (isArray !== Array.isArray(member)) {
      problems.push(`${path}${name} must ${isArray ? "" : "not "}be an array`);
      continue;
    }
    for (const [index, item] of (isArray ? member as Json[] : [member]).entries()) {
      const where = isArray ? `${path}${name}[${index}]` : `${path}${name}`;
      problems.push(...validateValue(schema, merged, item as Json, where, active));
    }
    problems.push(...validateSibling(merged, value, name, path));
  }
  return problems;
}

/** A caption beside a number must be the number's own, unless that is 99. */
function validateSibling(
  attribute: JsonObject,
  value: JsonObject,
  name: string,
  path: string,
): string[] {
  const { sibling } = attribute;
  if (typeof sibling !== "string" || value[sibling] === undefined) return [];
  if (attribute.enum === undefined) return []; // its numbers are worked out, such as type_uid
  const id = value[name] as number;
  const caption = ((attribute.enum as JsonObject)[String(id)] as JsonObject | undefined)?.caption;
  return id === 99 || value[sibling] === caption
    ? []
    : [`${path}${sibling} is "${value[sibling]}", the caption of ${id} is "${caption}"`];
}

function validateValue(
  schema: Schema,
  attribute: JsonObject,
  value: Json,
  path: string,
  active: readonly string[],
): string[] {
  const type = attribute.type as string;
  if (attribute.enum !== undefined && !(String(value) in (attribute.enum as JsonObject))) {
    return [`${path} is ${JSON.stringify(value)}, which is none of its values`];
  }
  if (type === "object") {
    return typeof value === "object" && value !== null ? [] : [`${path} must be an object`];
  }
  const check = TYPES.get(type);
  if (check !== undefined) {
    return check(value) ? [] : [`${path} is ${JSON.stringify(value)}, not a ${type}`];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`${path} must be an object of type ${type}`];
  }
  const definition = schema.objects.get(type);
  if (definition === undefined) return [`${path} has the type ${type}, which is not known`];
  const problems = validateAttributes(
    schema,
    collect(schema, schema.objects, type, active),
    value,
    `${path}.`,
    active,
  );
  const choice = constraintsOf(schema, type);
  if (choice.length > 0 && !choice.some((name) => value[name] !== undefined)) {
    problems.push(`${path} must have one of ${choice.join(", ")}`);
  }
  return problems;
}

function constraintsOf(schema: Schema, type: string): string[] {
  const definition = schema.objects.get(type);
  const own = (definition?.constraints as JsonObject | undefined)?.at_least_one;
  if (own !== undefined) return own as string[];
  return typeof definition?.extends === "string" ? constraintsOf(schema, definition.extends) : [];
}

const isText = (value: Json) => typeof value === "string";
const isInteger = (value: Json) => Number.isSafeInteger(value);
const TYPES: ReadonlyMap<string, (value: Json) => boolean> = new Map([
  ["string_t", isText],
  ["file_hash_t", isText],
  ["resource_uid_t", isText],
  ["username_t", isText],
  ["hostname_t", isText],
  ["integer_t", isInteger],
  ["long_t", isInteger],
  ["timestamp_t", (value: Json) => isInteger(value) && (value as number) > 1e12],
  ["boolean_t", (value: Json) => typeof value === "boolean"],
  ["json_t", () => true],
]);
