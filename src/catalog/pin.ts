import { stableJson } from "../model/json/canonical_json.ts";
import type { Json } from "../model/json/json.ts";
import { sha256Hex } from "../model/sha256.ts";

/** What an approval binds to: all that a model or a person reads before they trust a tool. */
export interface Definition {
  readonly kind: "tool" | "resource" | "prompt";
  readonly name: string;
  readonly title: Json;
  readonly description: Json;
  readonly inputSchema: Json;
  readonly outputSchema: Json;
  readonly annotations: Json;
  /** Which request an operation of an HTTP API is; absent for others. */
  readonly http?: { readonly method: string; readonly path: string };
  /** Which server it came from: its configured name and its command line or URL. */
  readonly server: string;
  readonly identity: string;
}

/** SHA-256 (hex) of a definition as received: an invisible character changes it. */
export function pinOf(definition: Definition): string {
  return sha256Hex(stableJson(definition));
}
