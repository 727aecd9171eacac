import { firstSentence } from "../catalog/clean_text.ts";
import { isSchemaObject, resolvePointer } from "../catalog/types/resolve_schema.ts";
import type { ServerState } from "../model/catalog.ts";
import type { JsonSchema } from "../model/json/json.ts";
import type { Tool } from "../model/tool.ts";

/** The indexed texts of a tool, one per field. */
export interface ToolDocument {
  readonly name: string;
  readonly title: string;
  /** First sentence of the description. */
  readonly summary: string;
  /** The rest of the description. */
  readonly details: string;
  readonly parameters: string;
  readonly parameterDocs: string;
  /** Enum values and constants. */
  readonly values: string;
  /** Names and descriptions of its result fields. */
  readonly results: string;
  readonly tags: string;
  readonly server: string;
  readonly serverDescription: string;
  readonly path: string;
  readonly aliases: string;
}

const DESCRIPTION_CHARS_MAX = 1_500;
const SERVER_DESCRIPTION_CHARS_MAX = 600;
const PARAMETER_DOC_CHARS_MAX = 200;
const PARAMETER_DOCS_CHARS_MAX = 3_000;
const PARAMETERS_MAX = 80;
const VALUES_MAX = 120;
const RESULTS_MAX = 40;
const RESULT_DOCS_CHARS_MAX = 1_000;

/** The texts of a tool, each cut to its bound. */
export function toDocument(tool: Tool, server: ServerState | undefined): ToolDocument {
  const description = tool.description.slice(0, DESCRIPTION_CHARS_MAX);
  const summary = firstSentence(description, DESCRIPTION_CHARS_MAX).replace(/…$/, "");
  const schema = readSchema(tool.inputSchema);
  const output = readSchema(tool.outputSchema ?? false);
  const title = server?.title === tool.server ? "" : server?.title ?? "";
  return {
    name: tool.name,
    title: tool.title,
    summary,
    details: description.replace(/\s+/g, " ").slice(summary.length),
    parameters: schema.names.slice(0, PARAMETERS_MAX).join(" "),
    parameterDocs: schema.docs.join(" ").slice(0, PARAMETER_DOCS_CHARS_MAX),
    values: schema.values.slice(0, VALUES_MAX).join(" "),
    results: [...output.names.slice(0, RESULTS_MAX), ...output.docs].join(" ")
      .slice(0, RESULT_DOCS_CHARS_MAX),
    tags: tool.tags.join(" "),
    server: `${tool.server} ${title}`,
    serverDescription: (server?.description ?? "").slice(0, SERVER_DESCRIPTION_CHARS_MAX),
    path: tool.http?.path ?? "",
    aliases: tool.aliases?.join(" ") ?? "",
  };
}

const DEPTH_MAX = 3;
const NODES_MAX = 600;
const NAMES_MAX = 120;

interface SchemaWords {
  readonly names: readonly string[];
  readonly docs: readonly string[];
  readonly values: readonly string[];
}

/** Names, descriptions and values in a schema, within bounds. */
function readSchema(root: JsonSchema): SchemaWords {
  const names = new Set<string>();
  const docs: string[] = [];
  const values: string[] = [];
  let nodes = 0;

  function visit(schema: unknown, depth: number, path: readonly string[]): void {
    if (!isSchemaObject(schema) || depth > DEPTH_MAX) return;
    if (nodes++ > NODES_MAX || names.size > NAMES_MAX) return;
    if (typeof schema.$ref === "string") {
      if (path.includes(schema.$ref)) return;
      return visit(resolvePointer(root, schema.$ref), depth, [...path, schema.$ref]);
    }
    if (Array.isArray(schema.enum)) {
      for (const value of schema.enum.slice(0, 30)) {
        if (typeof value === "string" && value.length < 40) values.push(value);
      }
    }
    if (typeof schema.const === "string") values.push(schema.const.slice(0, 40));
    for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) {
      if (Array.isArray(list)) { for (const branch of list) visit(branch, depth, path); }
    }
    visit(schema.items, depth, path);
    visit(schema.additionalProperties, depth + 1, path);
    if (!isSchemaObject(schema.properties)) return;
    for (const [name, property] of Object.entries(schema.properties)) {
      names.add(name);
      if (isSchemaObject(property) && typeof property.description === "string") {
        docs.push(property.description.slice(0, PARAMETER_DOC_CHARS_MAX));
      }
      visit(property, depth + 1, path);
    }
  }

  visit(root, 0, []);
  return { names: [...names], docs, values };
}
