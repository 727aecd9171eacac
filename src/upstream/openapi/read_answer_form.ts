import type { JsonSchema } from "../../model/json/json.ts";
import type { SchemaConverter } from "./convert_schema.ts";
import {
  BrokenReferenceError,
  followReference,
  type FoundOperation,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
  textOf,
} from "./document.ts";
import { chooseContentType, kindOf } from "./media_type.ts";
import type { AnswerHeader } from "./operation.ts";

const ANSWERS_MAX = 4;
const ANY_ANSWER = "application/json, */*;q=0.8";

/** The form of a successful answer. */
export interface AnswerForm {
  /** The schema of the tool's value; null if unknown. */
  readonly schema: JsonSchema | null;
  /** If not empty, the value is `{body, headers}`. */
  readonly headers: readonly AnswerHeader[];
  /** The `Accept` header. */
  readonly accept: string;
}

/**
 * Reads the successful answers of an operation: their schema, if they are JSON, and their headers.
 *
 * Declared headers are part of the answer: the name of a created thing, the next page, the rest of
 * a rate limit.
 */
export function readAnswerForm(
  document: OpenapiDocument,
  converter: SchemaConverter,
  { method, operation }: FoundOperation,
  options: { readonly responseHeaders?: "declared" | "all" | "none" },
): AnswerForm {
  const responses = goodAnswers(operation).map((response) => safely(document, response));
  const { schema, accept } = readBodies(document, converter, operation, responses);
  const mode = options.responseHeaders ?? "declared";
  const declared = mode === "none" ? [] : readHeaders(document, responses);
  const named = new Set(declared.map(({ name }) => name.toLowerCase()));
  const telling = TELLING_HEADERS.filter((name) => !named.has(name.toLowerCase()))
    .map((name): AnswerHeader => ({ name, type: "string" }));
  // The answer to HEAD has only headers.
  const isAll = mode === "all" || method === "head" && mode !== "none";
  const headers = isAll ? [...declared, ...telling] : declared;
  return { schema: headers.length === 0 ? schema : withHeaders(schema, headers), headers, accept };
}

/**
 * Headers that a program needs for its next step.
 * @see RFC 9110, RFC 8288
 */
export const TELLING_HEADERS = [
  ...["Location", "Content-Location", "Link", "Retry-After", "Operation-Location", "ETag"],
  ...["Last-Modified", "Content-Type", "Content-Length", "Content-Disposition"],
] as const;
/** These headers hold credentials or belong to the connection. */
const KEPT_BACK = new Set([
  ...["set-cookie", "set-cookie2", "www-authenticate", "proxy-authenticate", "connection"],
  ...["transfer-encoding", "keep-alive", "authentication-info"],
]);
const HEADERS_MAX = 40;

function readHeaders(document: OpenapiDocument, responses: readonly Node[]): AnswerHeader[] {
  const headers = new Map<string, AnswerHeader>();
  for (const response of responses) {
    for (const [name, raw] of Object.entries(nodeOf(response.headers))) {
      const key = name.toLowerCase();
      const isUsable = /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key) && !KEPT_BACK.has(key);
      // The content type belongs to the body. @see OpenAPI 3.1, Response Object
      if (!isUsable || key === "content-type" || headers.size >= HEADERS_MAX) continue;
      const header = safely(document, raw);
      const { type } = safely(document, header.schema ?? header);
      headers.set(key, {
        name,
        type: type === "integer" || type === "number"
          ? "number"
          : type === "boolean"
          ? "boolean"
          : "string",
      });
    }
  }
  return [...headers.values()];
}

function withHeaders(body: JsonSchema | null, headers: readonly AnswerHeader[]): JsonSchema {
  const types = { string: "string", number: ["number", "string"], boolean: ["boolean", "string"] };
  return {
    type: "object",
    properties: {
      body: body ?? {},
      headers: {
        description: "Headers of the answer",
        type: "object",
        properties: Object.fromEntries(
          headers.map(({ name, type }) => [name, { type: types[type] }]),
        ),
      },
    },
    required: ["body", "headers"],
  };
}

function readBodies(
  document: OpenapiDocument,
  converter: SchemaConverter,
  operation: Node,
  responses: readonly Node[],
): { schema: JsonSchema | null; accept: string } {
  const contents = responses.map((node) =>
    document.version === "2.0" ? swaggerContent(document, operation, node) : nodeOf(node.content)
  );
  const typed = contents.flatMap((content) => {
    const contentType = chooseContentType(Object.keys(content));
    return contentType === null ? [] : [{ content, contentType }];
  }).slice(0, ANSWERS_MAX);
  const [first] = typed;
  if (first === undefined) return { schema: null, accept: ANY_ANSWER };
  const schemas = new Map<string, JsonSchema>();
  for (const { content, contentType } of typed) {
    const { schema } = safely(document, content[contentType]);
    // If one answer has an unknown form, the schema is unknown.
    if (!isTyped(contentType) || schema === undefined) {
      schemas.clear();
      break;
    }
    const converted = converter.convert(schema, "output");
    schemas.set(JSON.stringify(converted), converted);
  }
  const [only, ...more] = schemas.values();
  return {
    schema: only === undefined ? null : more.length === 0 ? only : { anyOf: [only, ...more] },
    accept: isTyped(first.contentType)
      ? acceptJson(first.contentType)
      : `${first.contentType}, */*;q=0.8`,
  };
}

/** In almost every document "any type" means JSON. */
function isTyped(contentType: string): boolean {
  const kind = kindOf(contentType);
  return kind === "json" || kind === "any";
}

function acceptJson(contentType: string): string {
  const isPlain = contentType === "application/json" || contentType.includes("*");
  return isPlain ? ANY_ANSWER : `${contentType}, ${ANY_ANSWER}`;
}

/**
 * The answers of 200 to 299, lowest first. Without one, the default answer, unless the operation
 * answers with redirects.
 */
function goodAnswers(operation: Node): readonly unknown[] {
  const responses = nodeOf(operation.responses);
  const codes = Object.keys(responses);
  const good = codes.filter((each) => /^2(\d\d|XX)$/i.test(each)).sort();
  if (good.length > 0) return good.map((code) => responses[code]);
  return codes.some((each) => /^3/.test(each)) ? [] : [responses.default];
}

function swaggerContent(document: OpenapiDocument, operation: Node, response: Node): Node {
  if (response.schema === undefined) return {};
  const produces = listOf(operation.produces ?? document.root.produces).map(textOf);
  const contentType = chooseContentType(produces) ?? "application/json";
  return { [contentType]: { schema: response.schema } };
}

/** A broken reference in a response loses its type, not the operation. */
function safely(document: OpenapiDocument, value: unknown): Node {
  try {
    return nodeOf(followReference(document, value));
  } catch (error) {
    if (error instanceof BrokenReferenceError) return {};
    throw error;
  }
}
