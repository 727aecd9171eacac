import type { JsonSchema } from "../../model/json.ts";
import { isBaseOfOthers, type SchemaConverter } from "./convert_schema.ts";
import {
  followReference,
  isNode,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
  textOf,
} from "./document.ts";
import type { BodyKind, FormEncoding, OperationBody, ParameterStyle } from "./operation.ts";
import { collectionStyle } from "./read_parameters.ts";

/** A body, and the arguments it is made of. */
export interface ReadBody {
  readonly body: OperationBody;
  /** Arguments by name; one of them if the body is a single argument. */
  readonly properties: ReadonlyMap<string, JsonSchema>;
  readonly required: readonly string[];
  /** Whether more arguments than those are properties of the body. */
  readonly isOpen: boolean;
}

/** What a file may be given as: text, or bytes in base64. */
const FILE_SCHEMA: JsonSchema = {
  description: "Text, or bytes as base64",
  anyOf: [{ type: "string" }, {
    type: "object",
    properties: {
      base64: { type: "string", contentEncoding: "base64" },
      filename: { type: "string" },
      contentType: { type: "string" },
    },
    required: ["base64"],
    additionalProperties: false,
  }],
};
const ALL_OF_DEPTH_MAX = 12;

/**
 * Reads what an operation is sent.
 *
 * A body that is a plain object gives its properties as arguments of their own, beside the parameters;
 * anything else, or one whose property is called like a parameter, is one argument, `body`.
 *
 * @param taken names of the parameters' arguments.
 */
export function readBody(
  document: OpenapiDocument,
  converter: SchemaConverter,
  operation: Node,
  pathItem: Node,
  taken: ReadonlySet<string>,
): ReadBody | null {
  const source = document.version === "2.0"
    ? swaggerBody(document, operation, pathItem)
    : openapiBody(document, operation);
  if (source === null) return null;
  const { kind, contentType, required, encoding, schema } = source;
  const object = kind === "text" || kind === "binary" ? null : plainObject(document, schema);
  const names = object === null ? [] : [...object.properties.keys()];
  if (object === null || names.some((name) => taken.has(name))) {
    const argument = taken.has("body") ? "request_body" : "body";
    const single = kind === "binary" ? FILE_SCHEMA : converter.convert(schema ?? {}, "input");
    return {
      body: { contentType, kind, argument, required, encoding, files: new Set() },
      properties: new Map([[argument, single]]),
      required: required ? [argument] : [],
      isOpen: false,
    };
  }
  const properties = new Map<string, JsonSchema>();
  const files = new Set<string>();
  for (const [name, inner] of object.properties) {
    if (isNode(inner) && inner.readOnly === true) continue;
    const file = kind === "multipart" ? filePart(document, inner) : null;
    if (file !== null) files.add(name);
    properties.set(name, file ?? converter.convert(inner, "input"));
  }
  return {
    body: { contentType, kind, argument: null, required, encoding, files },
    properties,
    required: required ? object.required.filter((name) => properties.has(name)) : [],
    isOpen: object.isOpen,
  };
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
  const kind = kindOf(contentType);
  return {
    kind,
    contentType: contentType.includes("*") ? "application/json" : contentType,
    required: requestBody.required === true,
    schema: media.schema,
    encoding: readEncoding(nodeOf(media.encoding)),
  };
}

/** Swagger 2: one parameter in the body, or form fields. */
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
    const kind = kindOf(contentType);
    return {
      kind,
      contentType: contentType.includes("*") ? "application/json" : contentType,
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
    const style = collectionStyle(textOf(field.collectionFormat));
    if (style !== null) encoding.set(textOf(field.name), { ...style, contentType: null });
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
 * JSON if it is offered, then forms, then whatever can be sent as it is. Among several that are JSON,
 * JSON itself, and a list of patch operations last: an object is what everybody expects.
 */
export function chooseContentType(offered: readonly string[]): string | null {
  const plain = offered.find((contentType) => essenceOf(contentType) === "application/json");
  if (plain !== undefined) return plain;
  const isPatchList = (contentType: string) =>
    essenceOf(contentType) === "application/json-patch+json";
  const sorted = [
    ...offered.filter((contentType) => !isPatchList(contentType)),
    ...offered.filter(isPatchList),
  ];
  const order: readonly BodyKind[] = ["json", "form", "multipart", "text", "binary"];
  for (const kind of order) {
    const found = sorted.find((contentType) => kindOf(contentType) === kind);
    if (found !== undefined) return found;
  }
  return null;
}

function essenceOf(contentType: string): string {
  return contentType.split(";")[0]?.trim().toLowerCase() ?? "";
}

export function kindOf(contentType: string): BodyKind {
  const essence = essenceOf(contentType);
  if (essence === "application/json" || essence === "*/*" || essence === "application/*") {
    return "json";
  }
  if (essence.endsWith("+json") || essence === "text/json") return "json";
  if (essence === "application/x-www-form-urlencoded") return "form";
  if (essence.startsWith("multipart/")) return "multipart";
  const isText = essence.startsWith("text/") ||
    /[/+](xml|yaml|x-yaml|x-ndjson|javascript|graphql)$/.test(essence);
  return isText ? "text" : "binary";
}

function readEncoding(encoding: Node): ReadonlyMap<string, FormEncoding> {
  const styles: readonly ParameterStyle[] = [
    "form",
    "spaceDelimited",
    "pipeDelimited",
    "deepObject",
  ];
  const read = new Map<string, FormEncoding>();
  for (const [name, raw] of Object.entries(encoding)) {
    if (!isNode(raw)) continue;
    const style = styles.find((known) => known === raw.style) ?? "form";
    read.set(name, {
      style,
      explode: typeof raw.explode === "boolean" ? raw.explode : style === "form",
      contentType: typeof raw.contentType === "string"
        ? raw.contentType.split(",")[0]?.trim() ?? null
        : null,
    });
  }
  return read;
}

interface PlainObject {
  readonly properties: ReadonlyMap<string, unknown>;
  readonly required: readonly string[];
  readonly isOpen: boolean;
}

/** The schema as one object with properties, its `allOf` merged; null if it is anything else. */
function plainObject(document: OpenapiDocument, schema: unknown, depth = 0): PlainObject | null {
  const node = followReference(document, schema);
  if (!isNode(node) || depth > ALL_OF_DEPTH_MAX) return null;
  if ([...listOf(node.oneOf), ...listOf(node.anyOf)].some((part) => !isRequirement(part))) {
    return null;
  }
  if (node.nullable === true || node.type !== undefined && node.type !== "object") return null;
  const parts = listOf(node.allOf).map((part) => plainObject(document, part, depth + 1));
  const isObject = isNode(node.properties) || parts.length > 0;
  if (!isObject) return null;
  const properties = new Map<string, unknown>();
  const required = new Set<string>();
  let isOpen = node.additionalProperties === true || isNode(node.additionalProperties) ||
    isBaseOfOthers(node);
  for (const part of parts) {
    if (part === null) return null;
    for (const [name, inner] of part.properties) properties.set(name, inner);
    for (const name of part.required) required.add(name);
    isOpen ||= part.isOpen;
  }
  for (const [name, inner] of Object.entries(nodeOf(node.properties))) properties.set(name, inner);
  for (const name of listOf(node.required)) if (typeof name === "string") required.add(name);
  return properties.size === 0 ? null : { properties, required: [...required], isOpen };
}

/** An alternative that only says which properties go together; the API checks that itself. */
function isRequirement(schema: unknown): boolean {
  return isNode(schema) &&
    Object.keys(schema).every((key) => key === "required" || key === "title");
}

/** The schema of a part of a multipart form that is a file or several; null if it is none. */
function filePart(document: OpenapiDocument, schema: unknown): JsonSchema | null {
  const node = nodeOf(followReference(document, schema));
  const isFile = (inner: Node) =>
    inner.type === "file" || inner.format === "binary" ||
    inner.contentMediaType !== undefined && inner.contentEncoding === undefined;
  if (isFile(node)) return FILE_SCHEMA;
  const items = nodeOf(followReference(document, node.items));
  return node.type === "array" && isFile(items) ? { type: "array", items: FILE_SCHEMA } : null;
}
