import type { QuarantinedTool } from "../model/catalog.ts";
import { isFields } from "../model/json/fields.ts";
import type { Json, JsonSchema } from "../model/json/json.ts";
import { createYielder } from "../model/time/yield_to_loop.ts";
import type { ToolHints } from "../model/tool.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import { cleanLine, cleanText } from "./clean_text.ts";
import { normalizeSchema } from "./types/normalize_schema.ts";
import { type Definition, pinOf } from "./pin.ts";

/**
 * Bounds of one listing. A definition that exceeds one is quarantined with the reason, never cut
 * silently.
 */
export const LISTING_LIMITS = {
  toolsMax: 50_000,
  nameCharsMax: 256,
  titleCharsMax: 200,
  descriptionCharsMax: 8_000,
  definitionBytesMax: 1_048_576,
  depthMax: 256,
  tagsMax: 32,
} as const;

/** One well-formed definition of a listing, before it has an identifier. */
export interface ParsedTool {
  readonly kind: "tool" | "resource" | "prompt";
  readonly name: string;
  /** The text that the identifier is made from. */
  readonly spelling: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly listedInputSchema?: JsonSchema;
  readonly outputSchema: JsonSchema | null;
  readonly hints: ToolHints;
  readonly tags: readonly string[];
  readonly http: { readonly method: string; readonly path: string } | null;
  /** The parts of its schemas that could not be understood; they constrain nothing. */
  readonly schemaNotes?: readonly string[];
  readonly pin: string;
  /** The definition as received; diffs compare it. */
  readonly definition: Definition;
}

/** The tools of one listing, and the definitions that were set aside. */
export interface ParsedListing {
  readonly tools: readonly ParsedTool[];
  readonly quarantined: readonly QuarantinedTool[];
}

/**
 * Reads an upstream's listing, one definition at a time. A malformed definition is set aside with
 * its reason; the others stay.
 */
export async function parseListing(
  server: string,
  listing: UpstreamListing,
  giveWay: () => Promise<void> = createYielder(),
): Promise<ParsedListing> {
  const tools: ParsedTool[] = [];
  const quarantined: QuarantinedTool[] = [];
  const seen = new Set<string>();
  const from = {
    server,
    identity: listing.identity,
    isHttpApi: listing.isHttpApi === true,
  };
  const raws = [
    ...listing.tools.map((raw) => ({ raw, read: readTool })),
    ...listing.resources.map((raw) => ({ raw, read: readResource })),
    ...listing.prompts.map((raw) => ({ raw, read: readPrompt })),
  ];
  for (const [index, { raw, read }] of raws.slice(0, LISTING_LIMITS.toolsMax).entries()) {
    await giveWay();
    const parsed = findProblem(raw) ?? read(raw as RawDefinition, from);
    const reason = typeof parsed === "string" ? "malformed" : "collision";
    if (typeof parsed === "string" || seen.has(toolKey(parsed))) {
      const detail = typeof parsed === "string" ? parsed : "The upstream lists this name twice";
      quarantined.push({ server, name: nameOf(raw, index), reason, detail });
    } else {
      seen.add(toolKey(parsed));
      tools.push(parsed);
    }
  }
  if (raws.length > LISTING_LIMITS.toolsMax) {
    const detail = `Only the first ${LISTING_LIMITS.toolsMax} of ${raws.length} entries are read`;
    quarantined.push({ server, name: "*", reason: "malformed", detail });
  }
  for (const { name, reason } of listing.skipped) {
    const detail = cleanLine(`Cannot be represented: ${reason}`, 300);
    quarantined.push({ server, name: cleanLine(name, 200), reason: "malformed", detail });
  }
  return { tools, quarantined };
}

/** A tool's key within its server: a tool, a resource and a prompt may have the same name. */
export function toolKey(tool: { readonly kind: string; readonly name: string }): string {
  return `${tool.kind}:${tool.name}`;
}

type RawDefinition = { readonly [key: string]: Json | undefined };
type ServerIdentity = {
  readonly server: string;
  readonly identity: string;
  readonly isHttpApi: boolean;
};

/** Size and depth are checked first: all later steps may recurse. */
function findProblem(raw: unknown): string | null {
  if (!isFields<Json>(raw)) return "The definition is not an object";
  if (isDeeperThan(raw, LISTING_LIMITS.depthMax)) {
    return `The definition is nested deeper than ${LISTING_LIMITS.depthMax} levels`;
  }
  let bytes: number;
  try {
    bytes = JSON.stringify(raw).length;
  } catch {
    return "The definition is not JSON";
  }
  if (bytes > LISTING_LIMITS.definitionBytesMax) {
    return `The definition has ${bytes} bytes, more than ${LISTING_LIMITS.definitionBytesMax}`;
  }
  return null;
}

function readTool(raw: RawDefinition, from: ServerIdentity): ParsedTool | string {
  const text = readTexts(raw);
  if (typeof text === "string") return text;
  const input = raw.inputSchema ?? { type: "object" };
  if (!isFields<Json>(input)) return "inputSchema is not an object";
  const readInput = normalizeSchema(input);
  const inputType = isFields<Json>(readInput.schema) ? readInput.schema.type : undefined;
  if (inputType !== undefined && ![inputType].flat().includes("object")) {
    return `inputSchema.type is ${cleanLine(JSON.stringify(input.type), 40)}, not "object"`;
  }
  const output = raw.outputSchema ?? null;
  if (output !== null && !isFields<Json>(output)) return "outputSchema is not an object";
  const readOutput = output === null ? null : normalizeSchema(output);
  const notes = [
    ...readInput.notes.map((note) => `input ${note}`),
    ...(readOutput?.notes ?? []).map((note) => `output ${note}`),
  ].map((note) => cleanLine(note, 240));
  const annotations = raw.annotations ?? null;
  if (annotations !== null && !isFields<Json>(annotations)) return "annotations is not an object";
  const meta = isFields<Json>(raw._meta) ? raw._meta : {};
  const http = from.isHttpApi ? readHttp(meta["toolgate/http"]) : null;
  const definition = define("tool", raw, from, { input, output, annotations, http });
  return {
    kind: "tool",
    name: text.name,
    spelling: text.name,
    title: text.title || cleanLine(stringOf(annotations?.title), LISTING_LIMITS.titleCharsMax),
    description: text.description,
    inputSchema: readInput.schema,
    ...(readInput.schema === input || from.isHttpApi ? {} : { listedInputSchema: input }),
    outputSchema: readOutput?.schema ?? null,
    ...(notes.length === 0 ? {} : { schemaNotes: notes }),
    hints: readHints(annotations),
    tags: readTags(meta["toolgate/tags"]),
    http,
    pin: pinOf(definition),
    definition,
  };
}

/** A resource becomes a tool that reads it; a template, one whose arguments are its variables. */
function readResource(raw: RawDefinition, from: ServerIdentity): ParsedTool | string {
  const template = typeof raw.uriTemplate === "string" ? raw.uriTemplate : null;
  const uri = template ?? raw.uri;
  if (typeof uri !== "string" || uri === "") return "uri is not a string";
  if (uri.length > LISTING_LIMITS.nameCharsMax * 4) return "uri is too long";
  const text = readTexts({ ...raw, name: raw.name ?? uri });
  if (typeof text === "string") return text;
  const variables = template === null ? [] : templateVariables(template);
  const input: Json = {
    type: "object",
    properties: Object.fromEntries(variables.map((name) => [name, { type: "string" }])),
    required: variables,
    additionalProperties: false,
  };
  const annotations = isFields<Json>(raw.annotations) ? raw.annotations : null;
  const definition = define("resource", { ...raw, name: uri }, from, {
    input,
    output: null,
    annotations,
  });
  const mime = cleanLine(stringOf(raw.mimeType), 80);
  return {
    kind: "resource",
    name: uri,
    spelling: `read_${text.name}`,
    title: text.title || text.name,
    description: [`Reads the resource ${cleanLine(uri, 200)}${mime && ` (${mime})`}.`]
      .concat(text.description || []).join(" "),
    inputSchema: input,
    outputSchema: null,
    hints: { readOnly: true, destructive: false, idempotent: true },
    tags: ["resource"],
    http: null,
    pin: pinOf(definition),
    definition,
  };
}

const PROMPT_RESULT: JsonSchema = {
  type: "object",
  properties: {
    description: { type: "string" },
    messages: {
      type: "array",
      items: { type: "object", properties: { role: { enum: ["user", "assistant"] }, content: {} } },
    },
  },
  required: ["messages"],
};

/** A prompt becomes a tool that gets its messages. */
function readPrompt(raw: RawDefinition, from: ServerIdentity): ParsedTool | string {
  const text = readTexts(raw);
  if (typeof text === "string") return text;
  const list = raw.arguments ?? [];
  if (!Array.isArray(list)) return "arguments is not a list";
  const properties: Record<string, Json> = {};
  const required: string[] = [];
  for (const argument of list) {
    if (!isFields<Json>(argument) || typeof argument.name !== "string") {
      return "an argument has no name";
    }
    properties[argument.name] = { type: "string", description: stringOf(argument.description) };
    if (argument.required === true) required.push(argument.name);
  }
  const input: Json = { type: "object", properties, required, additionalProperties: false };
  const definition = define("prompt", raw, from, { input, output: null, annotations: null });
  return {
    kind: "prompt",
    name: text.name,
    spelling: `prompt_${text.name}`,
    title: text.title || text.name,
    description: `Gets the prompt ${text.name}. ${text.description}`.trim(),
    inputSchema: input,
    outputSchema: PROMPT_RESULT,
    hints: { readOnly: true, destructive: false, idempotent: true },
    tags: ["prompt"],
    http: null,
    pin: pinOf(definition),
    definition,
  };
}

function readTexts(raw: RawDefinition) {
  const { name } = raw;
  if (typeof name !== "string" || name === "") return "name is not a string";
  if (name.length > LISTING_LIMITS.nameCharsMax) {
    return `name has ${name.length} characters, more than ${LISTING_LIMITS.nameCharsMax}`;
  }
  if (cleanText(name, LISTING_LIMITS.nameCharsMax) !== name) {
    return "name has invisible or control characters, or white space around it";
  }
  for (const field of ["title", "description"] as const) {
    const value = raw[field] ?? "";
    if (typeof value !== "string") return `${field} is not a string`;
  }
  return {
    name,
    title: cleanLine(stringOf(raw.title), LISTING_LIMITS.titleCharsMax),
    description: cleanText(stringOf(raw.description), LISTING_LIMITS.descriptionCharsMax),
  };
}

function define(
  kind: Definition["kind"],
  raw: RawDefinition,
  from: ServerIdentity,
  parts: { input: Json; output: Json; annotations: Json; http?: ParsedTool["http"] },
): Definition {
  return {
    kind,
    name: stringOf(raw.name),
    title: raw.title ?? null,
    description: raw.description ?? null,
    inputSchema: parts.input,
    outputSchema: parts.output,
    annotations: parts.annotations,
    ...(parts.http ? { http: parts.http } : {}),
    server: from.server,
    identity: from.identity,
  };
}

function readHints(annotations: { readonly [key: string]: unknown } | null): ToolHints {
  const hint = (key: string) => {
    const value = annotations?.[key];
    return typeof value === "boolean" ? value : undefined;
  };
  const readOnly = hint("readOnlyHint");
  const destructive = hint("destructiveHint");
  const idempotent = hint("idempotentHint");
  const openWorld = hint("openWorldHint");
  return {
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(destructive === undefined ? {} : { destructive }),
    ...(idempotent === undefined ? {} : { idempotent }),
    ...(openWorld === undefined ? {} : { openWorld }),
  };
}

function readTags(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((tag) => typeof tag === "string").slice(0, LISTING_LIMITS.tagsMax)
    .map((tag) => cleanLine(tag, 80));
}

function readHttp(value: unknown): ParsedTool["http"] {
  if (!isFields<Json>(value) || typeof value.method !== "string") return null;
  if (typeof value.path !== "string") return null;
  return { method: value.method.toUpperCase().slice(0, 16), path: cleanLine(value.path, 500) };
}

/** Names in `{name}`, `{?a,b}`, `{+path*}`. @see RFC 6570 */
function templateVariables(template: string): string[] {
  const names = new Set<string>();
  for (const [, body = ""] of template.matchAll(/\{[+#./;?&]?([^{}]{1,200})\}/g)) {
    for (const part of body.split(",")) {
      const name = /^[\w.%]+/.exec(part)?.[0];
      if (name) names.add(name);
    }
  }
  return [...names].slice(0, 50);
}

function nameOf(raw: unknown, index: number): string {
  const name = isFields<Json>(raw) ? raw.name ?? raw.uri : undefined;
  return typeof name === "string" && name !== "" ? cleanLine(name, 200) : `#${index}`;
}

function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, depth - 1));
}
