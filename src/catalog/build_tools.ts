import type { QuarantinedTool } from "../model/catalog.ts";
import type { Tool } from "../model/tool.ts";
import type { Observations } from "./catalog_records.ts";
import { assignNames, toIdentifier } from "./names.ts";
import { shapeToSchema } from "./observe_shape.ts";
import { type ParsedListing, type ParsedTool, toolKey } from "./parse_listing.ts";
import { pinProblem, type ServerPins } from "./pins.ts";

export interface BuiltServer {
  /** Callable tools, in the order of the listing. */
  readonly tools: readonly Tool[];
  readonly quarantined: readonly QuarantinedTool[];
  /** Identifier to the key of the tool that keeps it at the next listing. */
  readonly holders: { readonly [identifier: string]: string };
}

export interface BuildToolsInput {
  readonly server: string;
  readonly serverIdentifier: string;
  readonly listing: ParsedListing;
  readonly pins: ServerPins;
  /** Tool name to more search words for it, from the operator. */
  readonly aliases: { readonly [tool: string]: readonly string[] };
  readonly observations: Observations;
  /** The tools of the last listing: a tool that did not change stays the same object. */
  readonly before: readonly Tool[];
}

const PIN_DETAIL = {
  pending: "New since the baseline: approve it with `toolgate tools approve`",
  drift: "Its definition changed since it was approved: see `toolgate tools diff`",
  blocked: "Blocked by an operator",
} as const;

/** Names the tools of one server and sets aside those that may not be called. */
export function buildTools(input: BuildToolsInput): BuiltServer {
  const { server, serverIdentifier, listing, pins } = input;
  const quarantined: QuarantinedTool[] = [];
  const quarantine = (tool: ParsedTool, reason: QuarantinedTool["reason"], detail: string) =>
    quarantined.push({ server, name: tool.name, reason, detail });

  const byKey = new Map(listing.tools.map((tool) => [toolKey(tool), tool]));
  const wanted = new Map(listing.tools.map((tool) => [toolKey(tool), toIdentifier(tool.spelling)]));
  const names = assignNames(wanted, preferred(wanted, byKey, pins));

  const before = new Map(input.before.map((tool) => [toolKey(tool), tool]));
  const tools: Tool[] = [];
  for (const parsed of listing.tools) {
    const identifier = names.identifiers.get(toolKey(parsed));
    if (identifier === undefined) {
      const holder = byKey.get(names.collisions.get(toolKey(parsed)) ?? "")?.name ?? "";
      const would = `${serverIdentifier}.${wanted.get(toolKey(parsed))}`;
      quarantine(parsed, "collision", `Would be ${would} in a program, as "${holder}" already is`);
      continue;
    }
    const problem = pinProblem(pins, parsed);
    if (problem !== null) {
      quarantine(parsed, problem, PIN_DETAIL[problem as keyof typeof PIN_DETAIL]);
      continue;
    }
    const tool = toTool(input, parsed, identifier);
    const known = before.get(toolKey(parsed));
    tools.push(known !== undefined && isSameTool(known, tool) ? known : tool);
  }
  const holders = Object.fromEntries(
    [...names.identifiers].map(([key, identifier]) => [identifier, key]),
  );
  // Of several reasons for one name, the pin's comes first: an operator can act on it.
  quarantined.push(...listing.quarantined);
  return { tools, quarantined, holders };
}

/**
 * The present holder of a contested identifier; a tool wins over a resource or prompt of its
 * spelling.
 */
function preferred(
  wanted: ReadonlyMap<string, string>,
  byKey: ReadonlyMap<string, ParsedTool>,
  pins: ServerPins,
): Map<string, string> {
  const held = new Map<string, string>();
  for (const [key, identifier] of wanted) {
    const tool = byKey.get(key);
    if (tool?.kind === "tool" && tool.name === identifier) held.set(identifier, key);
  }
  for (const [identifier, key] of Object.entries(pins.holders)) held.set(identifier, key);
  for (const [identifier, key] of held) if (wanted.get(key) !== identifier) held.delete(identifier);
  return held;
}

function toTool(input: BuildToolsInput, parsed: ParsedTool, identifier: string): Tool {
  const { server, serverIdentifier } = input;
  const aliases = Object.hasOwn(input.aliases, parsed.name) ? input.aliases[parsed.name] : [];
  const observation = parsed.outputSchema === null &&
      Object.hasOwn(input.observations, toolKey(parsed))
    ? input.observations[toolKey(parsed)]
    : undefined;
  return {
    id: `${serverIdentifier}.${identifier}`,
    server,
    name: parsed.name,
    serverIdentifier,
    identifier,
    kind: parsed.kind,
    title: parsed.title,
    description: parsed.description,
    inputSchema: parsed.inputSchema,
    ...(parsed.listedInputSchema === undefined
      ? {}
      : { listedInputSchema: parsed.listedInputSchema }),
    outputSchema: parsed.outputSchema,
    hints: parsed.hints,
    tags: parsed.tags,
    http: parsed.http,
    pin: parsed.pin,
    ...(parsed.schemaNotes === undefined ? {} : { schemaNotes: parsed.schemaNotes }),
    ...(aliases && aliases.length > 0 ? { aliases } : {}),
    ...(observation === undefined ? {} : {
      observed: { schema: shapeToSchema(observation.shape), results: observation.results },
    }),
  };
}

function isSameTool(a: Tool, b: Tool): boolean {
  // Tags are not part of the pin: the document's author may sort an operation under another tag.
  return a.id === b.id && a.pin === b.pin && a.observed?.results === b.observed?.results &&
    a.tags.join() === b.tags.join() && a.http?.method === b.http?.method &&
    a.http?.path === b.http?.path && a.aliases?.join() === b.aliases?.join() &&
    JSON.stringify(a.observed?.schema) === JSON.stringify(b.observed?.schema);
}
