import type { JsonSchema } from "./json/json.ts";

/** Our own class of a tool. The operator decides it; upstream hints are only advice. */
export type Access = "read" | "write" | "destructive";

/** What an upstream claims about its tool (MCP `ToolAnnotations`). Untrusted. */
export interface ToolHints {
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
  readonly idempotent?: boolean;
  readonly openWorld?: boolean;
}

/** One tool of one upstream, cleaned and named by the catalog. */
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
  /** The MCP server's own schema, if it differs: for clients that see the tool itself. */
  readonly listedInputSchema?: JsonSchema;
  readonly outputSchema: JsonSchema | null;
  readonly hints: ToolHints;
  readonly tags: readonly string[];
  /** The HTTP operation of a tool of an OpenAPI upstream; else null. */
  readonly http: { readonly method: string; readonly path: string } | null;
  /** Parts of its schemas that were not understood and are not enforced. */
  readonly schemaNotes?: readonly string[];
  /** SHA-256 (hex) of the canonical definition. */
  readonly pin: string;
  /** The operator's own search words for it. */
  readonly aliases?: readonly string[];
  /** The shape of past results, for a tool without an output schema. It never holds values. */
  readonly observed?: { readonly schema: JsonSchema; readonly results: number };
}
