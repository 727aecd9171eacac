import type { Access } from "./tool.ts";

export interface SearchRequest {
  readonly query: string;
  /** Signatures at most; default `search.limit`. */
  readonly limit?: number;
  readonly detail?: "names" | "signatures" | "full";
  /** Only this server, as configured or as an identifier. */
  readonly server?: string;
  /** Exactly these tools, with their full docs. */
  readonly names?: readonly string[];
}

export interface SearchHit {
  /** `server.tool` as a program writes it; also valid in `names` of a request. */
  readonly name: string;
  /** As configured. */
  readonly server: string;
  readonly title: string;
  readonly description: string;
  readonly access: Access;
  readonly effect: "allow" | "ask";
  readonly score: number;
  readonly signature?: string;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** Matching tools, also those that are not shown. */
  readonly total: number;
  readonly truncated: boolean;
  /** TypeScript, ready to read. */
  readonly declarations: string;
}
