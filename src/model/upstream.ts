import type { Principal } from "./principal.ts";

/** What an upstream lists. The definitions are raw: nobody has looked at them yet. */
export interface UpstreamListing {
  /** The server's own title or name; untrusted text. */
  readonly title: string;
  /** The server's own description or MCP `instructions`; untrusted text. */
  readonly description?: string;
  /** What identifies the server beyond its configured name: command line or URL, without secrets. */
  readonly identity: string;
  /**
   * MCP tool definitions as received. An HTTP API makes the same shape, with
   * `_meta["toolgate/http"] = {method, path}` and `_meta["toolgate/tags"] = string[]`.
   */
  readonly tools: readonly unknown[];
  /**
   * The definitions are ours, made from an OpenAPI document that the operator chose. Only then is the
   * HTTP method in `_meta` believed: a server could claim GET for a tool that deletes.
   */
  readonly isHttpApi?: boolean;
  readonly resources: readonly unknown[];
  readonly prompts: readonly unknown[];
  /** What could not be represented (OpenAPI), with the reason. */
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
  /** Hears what the upstream says of its progress. */
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
  /** Which credential was used: its kind or reference, never its value. */
  readonly credential: string;
}
