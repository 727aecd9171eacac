import { stableJson } from "../model/json/canonical_json.ts";
import type { Json } from "../model/json/json.ts";
import { sha256Hex } from "../model/sha256.ts";

/** What an approval covers: everything that a model or an operator reads before trusting a tool. */
export interface Definition {
  readonly kind: "tool" | "resource" | "prompt";
  readonly name: string;
  readonly title: Json;
  readonly description: Json;
  readonly inputSchema: Json;
  readonly outputSchema: Json;
  readonly annotations: Json;
  /** The request of an HTTP API's operation; absent for other tools. */
  readonly http?: { readonly method: string; readonly path: string };
  /** The server that listed it: its configured name and its command line or URL. */
  readonly server: string;
  readonly identity: string;
}

/** SHA-256 (hex) of a definition as received: an invisible character changes it. */
export function pinOf(definition: Definition): string {
  return sha256Hex(stableJson(definition));
}
