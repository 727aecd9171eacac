import type { JsonSchema } from "../../model/json/json.ts";
import type { SchemaConverter } from "./convert_schema.ts";
import { delimiterOf } from "./delimiter.ts";
import {
  followReference,
  type FoundOperation,
  isNode,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
  textOf,
} from "./document.ts";
import { essenceOf, isJson } from "./media_type.ts";
import type { Delimiter, OperationParameter, ParameterPlace, ParameterStyle } from "./operation.ts";

/** A parameter with its schema. */
export interface ReadParameter {
  readonly parameter: OperationParameter;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

const PLACES = new Set(["path", "query", "header", "cookie"]);
/**
 * The request sets these headers itself; parameters with these names are ignored.
 * @see OpenAPI 3.1, "Parameter Object"
 */
const OWN_HEADERS = new Set(["accept", "content-type", "authorization"]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const STYLES: { readonly [place in ParameterPlace]: readonly ParameterStyle[] } = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form"],
};

/**
 * Reads the parameters of an operation and of its path; those of the operation win.
 *
 * @throws {Error} with the reason if one of them cannot be represented.
 */
export function readParameters(
  document: OpenapiDocument,
  converter: SchemaConverter,
  { pathItem, operation }: FoundOperation,
): readonly ReadParameter[] {
  const byKey = new Map<string, Node>();
  for (const raw of [...listOf(pathItem.parameters), ...listOf(operation.parameters)]) {
    const parameter = followReference(document, raw);
    if (!isNode(parameter)) throw new Error("a parameter is not an object");
    byKey.set(`${textOf(parameter.in)} ${textOf(parameter.name)}`, parameter);
  }
  const read: ReadParameter[] = [];
  const taken = new Set<string>();
  for (const parameter of byKey.values()) {
    const place = textOf(parameter.in);
    const name = textOf(parameter.name);
    if (place === "body" || place === "formData") continue;
    if (name === "") throw new Error("a parameter has no name");
    if (!PLACES.has(place)) throw new Error(`parameter "${name}" is nowhere ("${place}")`);
    if (place === "header" && !HEADER_NAME.test(name)) {
      throw new Error(`"${name}" is not a header name`);
    }
    if (place === "header" && OWN_HEADERS.has(name.toLowerCase())) continue;
    const argument = freeName(name, place, taken);
    taken.add(argument);
    const named = { name, argument, place: place as ParameterPlace };
    read.push(readParameter(converter, parameter, named));
  }
  return read;
}

/** `id`, or `id_query` if another parameter has that name. */
function freeName(name: string, place: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let count = 1; taken.has(free); count++) {
    free = count === 1 ? `${name}_${place}` : `${name}_${place}_${count}`;
  }
  return free;
}

function readParameter(
  converter: SchemaConverter,
  parameter: Node,
  named: Pick<OperationParameter, "name" | "argument" | "place">,
): ReadParameter {
  const { place } = named;
  const [mediaType = "", content] = Object.entries(nodeOf(parameter.content))[0] ?? [];
  // In Swagger 2 the parameter is its own schema.
  const schema = isNode(content)
    ? content.schema
    : parameter.schema ?? { ...parameter, required: undefined };
  const converted = converter.convert(schema, "input");
  const description = textOf(parameter.description).trim().slice(0, 1_000);
  return {
    parameter: { ...named, ...readStyle(parameter, place, mediaType) },
    schema: description === "" || typeof converted === "boolean"
      ? converted
      : { ...converted, description },
    required: place === "path" || parameter.required === true,
  };
}

/** @param mediaType of a parameter with a content instead of a style, else empty. */
function readStyle(
  parameter: Node,
  place: ParameterPlace,
  mediaType: string,
): Pick<OperationParameter, "style" | "explode" | "allowReserved" | "nested"> {
  const rest = { allowReserved: parameter.allowReserved === true, nested: [] };
  if (mediaType !== "") {
    return { style: isJson(essenceOf(mediaType)) ? "json" : "text", explode: false, ...rest };
  }
  if (parameter.schema === undefined && parameter.type === "array") {
    const { style, explode } = collectionStyle(textOf(parameter.collectionFormat));
    const repeats = explode && (place === "query" || place === "cookie");
    return { ...rest, style, explode: repeats, nested: nestedDelimiters(parameter) };
  }
  const [usual = "simple"] = STYLES[place];
  const style = STYLES[place].find((known) => known === parameter.style) ?? usual;
  const isSwagger = parameter.schema === undefined;
  const explode = typeof parameter.explode === "boolean"
    ? parameter.explode
    : !isSwagger && (style === "form" || style === "deepObject");
  return { style, explode, ...rest };
}

/**
 * The style that Swagger 2 writes as `collectionFormat`.
 * @see Swagger 2.0, Parameter Object
 */
export function collectionStyle(
  format: string,
): { readonly style: ParameterStyle; readonly explode: boolean } {
  switch (format) {
    case "ssv":
      return { style: "spaceDelimited", explode: false };
    case "tsv":
      return { style: "tabDelimited", explode: false };
    case "pipes":
      return { style: "pipeDelimited", explode: false };
    case "multi":
      return { style: "form", explode: true };
  }
  return { style: "form", explode: false };
}

const NESTED_MAX = 8;

/**
 * The separators of lists inside a list.
 * @see Swagger 2.0, Items Object
 */
export function nestedDelimiters(parameter: Node): readonly Delimiter[] {
  const delimiters: Delimiter[] = [];
  let items = nodeOf(parameter.items);
  while (items.type === "array" && delimiters.length < NESTED_MAX) {
    delimiters.push(delimiterOf(collectionStyle(textOf(items.collectionFormat)).style));
    items = nodeOf(items.items);
  }
  return delimiters;
}
