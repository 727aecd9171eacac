import type { JsonSchema } from "../../model/json/json.ts";
import { isBaseOfOthers, type SchemaConverter } from "./convert_schema.ts";
import {
  BrokenReferenceError,
  followReference,
  type FoundOperation,
  isNode,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
  textOf,
} from "./document.ts";
import { FILE_OBJECT_SCHEMA, FILE_SCHEMA } from "./file_value.ts";
import { chooseContentType, essenceOf, kindOf } from "./media_type.ts";
import type { BodyKind, FormEncoding, OperationBody, ParameterStyle } from "./operation.ts";
import { collectionStyle, nestedDelimiters } from "./read_parameters.ts";
import { createXmlWriter } from "./write_xml.ts";

/** A body and the arguments that form it. */
export interface ReadBody {
  readonly body: OperationBody;
  /** Arguments by name; only one if the body is a single argument. */
  readonly properties: ReadonlyMap<string, JsonSchema>;
  readonly required: readonly string[];
  /** The schema of further arguments, which become properties of the body. */
  readonly additional: JsonSchema;
  /** Schemas of further arguments by patterns of their names. */
  readonly patterns: { readonly [pattern: string]: JsonSchema };
}

const ALL_OF_DEPTH_MAX = 12;

/**
 * Reads the body that an operation takes.
 *
 * The properties of a plain object become arguments next to the parameters. Any other body is one
 * argument, `body`, and so is an object with a property named like a parameter.
 *
 * @param taken names of the parameters' arguments.
 */
export function readBody(
  document: OpenapiDocument,
  converter: SchemaConverter,
  { pathItem, operation }: FoundOperation,
  taken: ReadonlySet<string>,
): ReadBody | null {
  const source = document.version === "2.0"
    ? swaggerBody(document, operation, pathItem)
    : openapiBody(document, operation);
  if (source === null) return null;
  const { kind, contentType, required, encoding, schema } = source;
  const parts = {
    contentType,
    kind,
    required,
    encoding,
    toXml: kind === "xml" ? createXmlWriter(document, schema) : null,
  };
  const isFields = kind === "json" || kind === "form" || kind === "multipart";
  const object = isFields ? plainObject(document, schema) : null;
  if (object === null || !fitsBeside(object, taken)) {
    const argument = taken.has("body") ? "request_body" : "body";
    return {
      body: { ...parts, argument, files: new Set() },
      properties: new Map([[argument, singleSchema(document, converter, source)]]),
      required: required ? [argument] : [],
      additional: false,
      patterns: {},
    };
  }
  const properties = new Map<string, JsonSchema>();
  const files = new Set<string>();
  for (const [name, inner] of object.properties) {
    if (converter.hides(inner, "input")) continue;
    const file = kind === "multipart" ? filePart(document, inner) : null;
    if (file !== null) files.add(name);
    properties.set(name, file ?? converter.convert(inner, "input"));
  }
  return {
    body: { ...parts, argument: null, files },
    properties,
    required: required ? object.required.filter((name) => properties.has(name)) : [],
    additional: object.additional === undefined
      ? false
      : converter.convert(object.additional, "input"),
    patterns: Object.fromEntries(
      [...object.patterns].map(([name, inner]) => [name, converter.convert(inner, "input")]),
    ),
  };
}

/** False if a parameter has the name of a property of the body, or matches a pattern for them. */
function fitsBeside(object: PlainObject, taken: ReadonlySet<string>): boolean {
  for (const name of taken) {
    if (object.properties.has(name)) return false;
    for (const pattern of object.patterns.keys()) {
      try {
        if (new RegExp(pattern, "u").test(name)) return false;
      } catch {
        return false;
      }
    }
  }
  return true;
}

/**
 * The schema of a body that is one argument. It may also accept a text or file to send unchanged.
 */
function singleSchema(
  document: OpenapiDocument,
  converter: SchemaConverter,
  { kind, schema }: BodySource,
): JsonSchema {
  if (kind === "binary") return FILE_SCHEMA;
  const converted = converter.convert(schema ?? {}, "input");
  if (kind === "json" || kind === "form" || kind === "multipart") return converted;
  if (kind === "any" && (schema === undefined || Object.keys(nodeOf(schema)).length === 0)) {
    return { description: "JSON, a text, or bytes as Uint8Array" };
  }
  const { type } = safeNode(document, schema);
  if (schema === undefined || type === "string") return FILE_SCHEMA;
  return { anyOf: [converted, { type: "string" }, FILE_OBJECT_SCHEMA] };
}

interface BodySource {
  readonly kind: BodyKind;
  readonly contentType: string;
  readonly required: boolean;
  readonly schema: unknown;
  readonly encoding: ReadonlyMap<string, FormEncoding>;
}

function openapiBody(document: OpenapiDocument, operation: Node): BodySource | null {
  if (operation.requestBody === undefined) return null;
  const requestBody = followReference(document, operation.requestBody);
  if (!isNode(requestBody)) throw new Error("its request body is not an object");
  const content = nodeOf(requestBody.content);
  const contentType = chooseContentType(Object.keys(content));
  if (contentType === null) return null;
  const media = nodeOf(followReference(document, content[contentType]));
  return {
    ...readKind(document, contentType, media.schema),
    required: requestBody.required === true,
    schema: media.schema,
    encoding: readEncoding(document, kindOf(contentType), nodeOf(media.encoding)),
  };
}

/** How a body is written, and its type if the document names only a range. */
function readKind(
  document: OpenapiDocument,
  contentType: string,
  schema: unknown,
): { readonly kind: BodyKind; readonly contentType: string } {
  const kind = kindOf(contentType);
  if (essenceOf(contentType) === "text/*") return { kind, contentType: "text/plain" };
  if (kind !== "any") return { kind, contentType };
  const node = safeNode(document, schema);
  const types = [node.type].flat().filter((type) => type !== undefined && type !== "null");
  if (types.length === 0 && node.properties === undefined && node.items === undefined) {
    return { kind, contentType };
  }
  // A text or a file is sent unchanged; for other values APIs mean JSON by "any type".
  return types.includes("string")
    ? { kind: "binary", contentType }
    : { kind: "json", contentType: "application/json" };
}

function safeNode(document: OpenapiDocument, schema: unknown): Node {
  try {
    return nodeOf(followReference(document, schema));
  } catch (error) {
    if (error instanceof BrokenReferenceError) return {};
    throw error;
  }
}

/** Reads Swagger 2: one parameter in the body, or form fields. */
function swaggerBody(
  document: OpenapiDocument,
  operation: Node,
  pathItem: Node,
): BodySource | null {
  const parameters = [...listOf(pathItem.parameters), ...listOf(operation.parameters)]
    .map((raw) => nodeOf(followReference(document, raw)));
  const consumes = [...listOf(operation.consumes ?? document.root.consumes)].map(textOf);
  const body = parameters.findLast((parameter) => parameter.in === "body");
  if (body !== undefined) {
    const contentType = chooseContentType(consumes) ?? "application/json";
    return {
      ...readKind(document, contentType, body.schema),
      required: body.required === true,
      schema: body.schema,
      encoding: new Map(),
    };
  }
  const fields = parameters.filter((parameter) => parameter.in === "formData");
  if (fields.length === 0) return null;
  const hasFile = fields.some((field) => field.type === "file");
  const isMultipart = hasFile || consumes.includes("multipart/form-data");
  const encoding = new Map<string, FormEncoding>();
  for (const field of fields) {
    if (field.type !== "array") continue;
    encoding.set(textOf(field.name), {
      ...collectionStyle(textOf(field.collectionFormat)),
      allowReserved: false,
      contentType: null,
      nested: nestedDelimiters(field),
    });
  }
  const required = fields.filter((field) => field.required === true).map((field) =>
    textOf(field.name)
  );
  return {
    kind: isMultipart ? "multipart" : "form",
    contentType: isMultipart ? "multipart/form-data" : "application/x-www-form-urlencoded",
    required: required.length > 0,
    schema: {
      type: "object",
      properties: Object.fromEntries(
        fields.map((field) => [textOf(field.name), { ...field, required: undefined }]),
      ),
      required,
    },
    encoding,
  };
}

/**
 * How the properties of a form are written. A style wins over a content type; without either, a
 * list repeats its name for each item. Parts of a multipart form have styles only since 3.1.
 */
function readEncoding(
  document: OpenapiDocument,
  kind: BodyKind,
  encoding: Node,
): ReadonlyMap<string, FormEncoding> {
  const styles: readonly ParameterStyle[] = [
    "form",
    "spaceDelimited",
    "pipeDelimited",
    "deepObject",
  ];
  const read = new Map<string, FormEncoding>();
  for (const [name, raw] of Object.entries(encoding)) {
    if (!isNode(raw)) continue;
    const contentType = textOf(raw.contentType).split(",")[0]?.trim() || null;
    const isStyled = raw.style !== undefined || typeof raw.explode === "boolean";
    const style = styles.find((known) => known === raw.style) ?? "form";
    const counts = kind === "form" ? isStyled || contentType === null : isStyled;
    read.set(name, {
      style: counts && (kind === "form" || document.version === "3.1") ? style : null,
      explode: typeof raw.explode === "boolean" ? raw.explode : style === "form",
      allowReserved: raw.allowReserved === true,
      contentType,
      nested: [],
    });
  }
  return read;
}

interface PlainObject {
  readonly properties: ReadonlyMap<string, unknown>;
  readonly required: readonly string[];
  /** Schema of further properties; undefined if there are none. */
  readonly additional: unknown;
  readonly patterns: ReadonlyMap<string, unknown>;
}

/** The schema as one object with properties, its `allOf` merged; null for any other schema. */
function plainObject(document: OpenapiDocument, schema: unknown, depth = 0): PlainObject | null {
  if (!isNode(schema) || depth > ALL_OF_DEPTH_MAX) return null;
  const parts: unknown[] = [];
  let node = schema;
  if (typeof schema.$ref === "string") {
    const { $ref: _, ...siblings } = schema;
    const target = followReference(document, schema);
    if (!isNode(target)) return null;
    const counts = document.version === "3.1" && SHAPING.some((key) => key in siblings);
    // Keywords beside a reference form one more part.
    if (counts) parts.push(target);
    node = counts ? { type: "object", ...siblings } : target;
  }
  parts.push(...listOf(node.allOf));
  if ([...listOf(node.oneOf), ...listOf(node.anyOf)].some((part) => !isRequirement(part))) {
    return null;
  }
  if (node.nullable === true || node.type !== undefined && node.type !== "object") return null;
  // A part may hold only `required` names of the other parts.
  const isPart = depth > 0 && Array.isArray(node.required);
  if (!isNode(node.properties) && parts.length === 0 && !isPart) return null;
  const properties = new Map<string, unknown>();
  const patterns = new Map<string, unknown>();
  const required = new Set<string>();
  const { additionalProperties } = node;
  const isOpened = additionalProperties === true || isNode(additionalProperties);
  let additional: unknown = isOpened
    ? additionalProperties
    : isBaseOfOthers(node)
    ? true
    : undefined;
  for (const part of parts) {
    const inner = plainObject(document, part, depth + 1);
    if (inner === null) return null;
    for (const [name, property] of inner.properties) properties.set(name, property);
    for (const [pattern, property] of inner.patterns) patterns.set(pattern, property);
    for (const name of inner.required) required.add(name);
    additional ??= inner.additional;
  }
  for (const [name, inner] of Object.entries(nodeOf(node.properties))) properties.set(name, inner);
  for (const [pattern, inner] of Object.entries(nodeOf(node.patternProperties))) {
    patterns.set(pattern, inner);
  }
  for (const name of listOf(node.required)) if (typeof name === "string") required.add(name);
  return properties.size === 0 && depth === 0
    ? null
    : { properties, required: [...required], additional, patterns };
}

const SHAPING = [
  ...["type", "properties", "required", "allOf", "anyOf", "oneOf", "additionalProperties"],
  "patternProperties",
];

/** An alternative that only says which properties go together; the API checks that itself. */
function isRequirement(schema: unknown): boolean {
  return isNode(schema) &&
    Object.keys(schema).every((key) => key === "required" || key === "title");
}

/** The schema of a multipart part that is a file or several; null for other parts. */
function filePart(document: OpenapiDocument, schema: unknown): JsonSchema | null {
  const node = nodeOf(followReference(document, schema));
  const isFile = (inner: Node) =>
    inner.type === "file" || inner.format === "binary" ||
    inner.contentMediaType !== undefined && inner.contentEncoding === undefined;
  if (isFile(node)) return FILE_SCHEMA;
  const items = nodeOf(followReference(document, node.items));
  return node.type === "array" && isFile(items) ? { type: "array", items: FILE_SCHEMA } : null;
}
