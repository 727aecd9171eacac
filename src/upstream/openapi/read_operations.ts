import type { JsonSchema } from "../../model/json/json.ts";
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
import { nameOperations } from "./name_operations.ts";
import type { Operation, SkippedOperation } from "./operation.ts";
import { type AnswerForm, readAnswerForm } from "./read_answer_form.ts";
import { readBody } from "./read_body.ts";
import { readParameters } from "./read_parameters.ts";
import { readServer, type ServerOptions } from "./read_server.ts";

export interface ReadOperations {
  readonly operations: readonly Operation[];
  readonly skipped: readonly SkippedOperation[];
}

export interface ReadOptions extends ServerOptions {
  /** Which headers of answers reach the program; default: those that the document declares. */
  readonly responseHeaders?: "declared" | "all" | "none";
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const DESCRIPTION_CHARS_MAX = 4_000;
const PATH_CHARS_MAX = 200;
/** Bounds for the schemas of one tool; definitions beyond them accept any value. */
const INPUT_BYTES_MAX = 131_072;
const OUTPUT_BYTES_MAX = 32_768;
/** Work between two pauses, so that a large document does not block other work. */
const SLICE_MS = 20;

/**
 * Turns a document into operations. Skips operations that toolgate cannot represent, with reasons.
 */
export async function readOperations(
  document: OpenapiDocument,
  options: ReadOptions,
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
  options: ReadOptions,
  found: FoundOperation & { readonly name: string },
): Operation {
  const { name, path, method, pathItem, operation } = found;
  if (method === "trace") throw new Error("TRACE requests cannot be sent");
  const parameters = readParameters(document, converter, found);
  const taken = new Set(parameters.map(({ parameter }) => parameter.argument));
  const body = readBody(document, converter, found, taken);
  // toolgate sends no body with HEAD.
  if (method === "head" && body?.body.required === true) {
    throw new Error("a HEAD request cannot have a body");
  }
  const sent = method === "head" ? null : body;
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
      ...(sent === null || Object.keys(sent.patterns).length === 0
        ? {}
        : { patternProperties: sent.patterns }),
      additionalProperties: sent?.additional ?? false,
    },
    "input",
    INPUT_BYTES_MAX,
  );
  const answer: AnswerForm = readAnswerForm(document, converter, found, options);
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
    answerHeaders: answer.headers,
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

/** Every `{name}` of a path needs its parameter. */
function checkPath(path: string, parameters: Operation["parameters"]): void {
  const declared = new Set(
    parameters.filter(({ place }) => place === "path").map(({ name }) => name),
  );
  for (const [, name = ""] of path.matchAll(/\{([^}]*)\}/g)) {
    if (!declared.has(name)) throw new Error(`no parameter is declared for {${name}}`);
  }
}

function readSecurity(document: OpenapiDocument, operation: Node): readonly (readonly string[])[] {
  return listOf(operation.security ?? document.root.security)
    .filter(isNode).map((alternative) => Object.keys(alternative));
}
