import type { Principal } from "./principal.ts";

/** The listing of an upstream. Its definitions are raw and not checked yet. */
export interface UpstreamListing {
  /** The server's own title or name; untrusted text. */
  readonly title: string;
  /** The server's own description or MCP `instructions`; untrusted text. */
  readonly description?: string;
  /** Identifies the server besides its configured name: command line or URL, without secrets. */
  readonly identity: string;
  /**
   * MCP tool definitions as received. An HTTP API produces the same shape, with
   * `_meta["toolgate/http"] = {method, path}` and `_meta["toolgate/tags"] = string[]`.
   */
  readonly tools: readonly unknown[];
  /**
   * True if toolgate made the definitions from an OpenAPI document that the operator chose. Only
   * then is the HTTP method in `_meta` trusted: a server could claim GET for a tool that deletes.
   */
  readonly isHttpApi?: boolean;
  readonly resources: readonly unknown[];
  readonly prompts: readonly unknown[];
  /** Operations (OpenAPI) that cannot be represented, with the reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface UpstreamCall {
  /** As configured. */
  readonly server: string;
  /** As the upstream spells it. */
  readonly name: string;
  readonly kind: "tool" | "resource" | "prompt";
  readonly args: { readonly [name: string]: unknown };
  readonly principal: Principal;
  /** `<execution>:<index>` */
  readonly idempotencyKey: string;
  /** W3C trace context to pass on, if there is one. */
  readonly traceparent: string | null;
  readonly resultBytesMax: number;
  readonly signal: AbortSignal;
  /** Called for each progress report of the upstream. */
  readonly onProgress?: (progress: CallProgress) => void;
}

/** How far a call is, in the upstream's own words and numbers. @see MCP, "Progress" */
export interface CallProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** The answer of a tool, in MCP's shape. */
export interface UpstreamAnswer {
  readonly content: readonly unknown[];
  readonly structuredContent?: unknown;
  /** The contents of a resource as received, with their URIs and types. */
  readonly contents?: readonly unknown[];
  readonly isError: boolean;
  /** What to do about an error that the upstream answered with. */
  readonly hint?: string;
  /** How long the upstream asks to wait. */
  readonly retryAfterMs?: number;
  /** Size of the answer as received. */
  readonly bytes: number;
  /** Kind or reference of the credential used, never its value. */
  readonly credential: string;
}
