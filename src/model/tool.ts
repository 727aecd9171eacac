import type { JsonSchema } from "./json/json.ts";

/** Our own class of a tool; the operator decides, upstream hints are advice. */
export type Access = "read" | "write" | "destructive";

/** What an upstream claims about its tool (MCP `ToolAnnotations`). Untrusted. */
export interface ToolHints {
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
  readonly idempotent?: boolean;
  readonly openWorld?: boolean;
}

/** One tool of one upstream, cleaned and named: what the catalog holds and everything else reads. */
export interface Tool {
  /** `<server>.<tool>` as a program writes it (identifier spelling): the key everywhere inside. */
  readonly id: string;
  /** The upstream's name as configured. */
  readonly server: string;
  /** The tool's name as the upstream spells it. */
  readonly name: string;
  /** `server` and `name` as TypeScript identifiers. */
  readonly serverIdentifier: string;
  readonly identifier: string;
  readonly kind: "tool" | "resource" | "prompt";
  readonly title: string;
  readonly description: string;
  /** JSON Schema 2020-12, as types print it and the gate checks it. */
  readonly inputSchema: JsonSchema;
  /** As the MCP server wrote it, where that differs: what clients get that are shown the tool itself. */
  readonly listedInputSchema?: JsonSchema;
  readonly outputSchema: JsonSchema | null;
  readonly hints: ToolHints;
  readonly tags: readonly string[];
  /** The operation behind it, for OpenAPI upstreams. */
  readonly http: { readonly method: string; readonly path: string } | null;
  /** What of its schemas could not be understood and constrains nothing. */
  readonly schemaNotes?: readonly string[];
  /** SHA-256 (hex) of the canonical definition. */
  readonly pin: string;
  /** The operator's own words to find it by. */
  readonly aliases?: readonly string[];
  /** What its results looked like, for a tool that declares no output. Shapes only, never values. */
  readonly observed?: { readonly schema: JsonSchema; readonly results: number };
}
