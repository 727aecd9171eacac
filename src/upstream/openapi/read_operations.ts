import type { JsonSchema } from "../../model/json.ts";
import { createSchemaConverter, type SchemaConverter } from "./convert_schema.ts";
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
import type { Operation, SkippedOperation } from "./operation.ts";
import { nameOperations } from "./name_operations.ts";
import { chooseContentType, kindOf, readBody } from "./read_body.ts";
import { readParameters } from "./read_parameters.ts";
import { readServer, type ServerOptions } from "./read_server.ts";

export interface ReadOperations {
  readonly operations: readonly Operation[];
  readonly skipped: readonly SkippedOperation[];
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const DESCRIPTION_CHARS_MAX = 4_000;
const PATH_CHARS_MAX = 200;
/** How large the schemas of one tool may become; the rest stays open. */
const INPUT_BYTES_MAX = 131_072;
const OUTPUT_BYTES_MAX = 32_768;
/** Work between two pauses, so that a large document does not hold up everything else. */
const SLICE_MS = 20;

/** Turns a document into operations. What cannot be represented is skipped, with the reason. */
export async function readOperations(
  document: OpenapiDocument,
  options: ServerOptions,
): Promise<ReadOperations> {
  const converter = createSchemaConverter(document);
  const operations: Operation[] = [];
  const skipped: SkippedOperation[] = [];
  const found = [...findOperations(document, skipped)];
  const names = nameOperations(found);
  let sliceStart = performance.now();
  for (const [index, { path, method, pathItem, operation }] of found.entries()) {
    if (performance.now() - sliceStart > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      sliceStart = performance.now();
    }
    const name = names[index] ?? "";
    try {
      operations.push(
        readOperation(document, converter, options, { name, path, method, pathItem, operation }),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      skipped.push({ name, reason: `${method.toUpperCase()} ${path}: ${reason}` });
    }
  }
  return { operations, skipped };
}

/** @param skipped gets the paths that cannot be read. */
function* findOperations(
  document: OpenapiDocument,
  skipped: SkippedOperation[],
): Generator<FoundOperation> {
  for (const [path, raw] of Object.entries(nodeOf(document.root.paths))) {
    if (path.startsWith("x-")) continue;
    const name = path.slice(0, PATH_CHARS_MAX);
    if (!path.startsWith("/")) {
      skipped.push({ name, reason: "a path does not begin with a slash" });
      continue;
    }
    let pathItem: Node;
    try {
      pathItem = nodeOf(followReference(document, raw));
    } catch (error) {
      if (!(error instanceof BrokenReferenceError)) throw error;
      skipped.push({ name, reason: error.message });
      continue;
    }
    for (const method of METHODS) {
      const operation = pathItem[method];
      if (isNode(operation)) yield { path, method, pathItem, operation };
    }
  }
}

function readOperation(
  document: OpenapiDocument,
  converter: SchemaConverter,
  options: ServerOptions,
  found: FoundOperation & { readonly name: string },
): Operation {
  const { name, path, method, pathItem, operation } = found;
  if (method === "trace") throw new Error("TRACE requests cannot be sent");
  const parameters = readParameters(document, converter, pathItem, operation);
  const taken = new Set(parameters.map(({ parameter }) => parameter.argument));
  const body = readBody(document, converter, operation, pathItem, taken);
  if (body !== null && (method === "get" || method === "head")) {
    if (body.body.required) throw new Error("a GET or HEAD request cannot have a body");
  }
  const sent = method === "get" || method === "head" ? null : body;
  checkPath(path, parameters.map(({ parameter }) => parameter));
  const properties = new Map<string, JsonSchema>(
    parameters.map(({ parameter, schema }) => [parameter.argument, schema]),
  );
  for (const [argument, schema] of sent?.properties ?? []) properties.set(argument, schema);
  const required = [
    ...parameters.filter((read) => read.required).map(({ parameter }) => parameter.argument),
    ...sent?.required ?? [],
  ];
  const inputSchema = converter.complete(
    {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: sent?.isOpen === true,
    },
    "input",
    INPUT_BYTES_MAX,
  );
  const answer = readAnswer(document, converter, operation);
  const summary = textOf(operation.summary).trim();
  return {
    name,
    method: method.toUpperCase(),
    path,
    title: summary.slice(0, 200),
    description: describe(operation, summary),
    tags: listOf(operation.tags).filter((tag): tag is string => typeof tag === "string").slice(
      0,
      16,
    ),
    inputSchema,
    outputSchema: answer.schema === null
      ? null
      : converter.complete(answer.schema, "output", OUTPUT_BYTES_MAX),
    parameters: parameters.map(({ parameter }) => parameter),
    body: sent?.body ?? null,
    accept: answer.accept,
    baseUrl: readServer(document, pathItem, operation, options),
    security: readSecurity(document, operation),
  };
}

function describe(operation: Node, summary: string): string {
  const description = textOf(operation.description).trim();
  const parts = [
    operation.deprecated === true ? "Deprecated." : "",
    summary,
    description === summary ? "" : description,
  ];
  return parts.filter((part) => part !== "").join("\n").slice(0, DESCRIPTION_CHARS_MAX);
}

/** Every `{name}` of a path needs its parameter, and the other way round. */
function checkPath(path: string, parameters: Operation["parameters"]): void {
  const declared = new Set(
    parameters.filter(({ place }) => place === "path").map(({ name }) => name),
  );
  for (const [, name = ""] of path.matchAll(/\{([^}]*)\}/g)) {
    if (!declared.has(name)) throw new Error(`no parameter is declared for {${name}}`);
  }
}

const ANSWERS_MAX = 4;
const ANY_ANSWER = "application/json, */*;q=0.8";

/** The schema of the good answers, if they are JSON, and what to ask for. */
function readAnswer(
  document: OpenapiDocument,
  converter: SchemaConverter,
  operation: Node,
): { schema: JsonSchema | null; accept: string } {
  const contents = goodAnswers(operation).map((response) => {
    const node = safely(document, response);
    return document.version === "2.0"
      ? swaggerContent(document, operation, node)
      : nodeOf(node.content);
  });
  const typed = contents.flatMap((content) => {
    const contentType = chooseContentType(Object.keys(content));
    return contentType === null ? [] : [{ content, contentType }];
  }).slice(0, ANSWERS_MAX);
  const [first] = typed;
  if (first === undefined) return { schema: null, accept: ANY_ANSWER };
  const schemas = new Map<string, JsonSchema>();
  for (const { content, contentType } of typed) {
    const { schema } = safely(document, content[contentType]);
    // One answer of an unknown form makes all of them unknown.
    if (kindOf(contentType) !== "json" || schema === undefined) {
      schemas.clear();
      break;
    }
    const converted = converter.convert(schema, "output");
    schemas.set(JSON.stringify(converted), converted);
  }
  const [only, ...more] = schemas.values();
  return {
    schema: only === undefined ? null : more.length === 0 ? only : { anyOf: [only, ...more] },
    accept: kindOf(first.contentType) === "json"
      ? acceptJson(first.contentType)
      : `${first.contentType}, */*;q=0.8`,
  };
}

function acceptJson(contentType: string): string {
  const isPlain = contentType === "application/json" || contentType.includes("*");
  return isPlain ? ANY_ANSWER : `${contentType}, ${ANY_ANSWER}`;
}

/** The answers of 200 to 299, lowest first; else the default, unless it stands for what is no answer. */
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

/** A response that cannot be read costs the type of the answer, not the operation. */
function safely(document: OpenapiDocument, value: unknown): Node {
  try {
    return nodeOf(followReference(document, value));
  } catch (error) {
    if (error instanceof BrokenReferenceError) return {};
    throw error;
  }
}

function readSecurity(document: OpenapiDocument, operation: Node): readonly (readonly string[])[] {
  return listOf(operation.security ?? document.root.security)
    .filter(isNode).map((alternative) => Object.keys(alternative));
}
