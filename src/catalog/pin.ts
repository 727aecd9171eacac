import type { Json } from "../model/json.ts";
import { sha256Hex } from "../model/sha256.ts";

/**
 * JSON with sorted keys and no spaces, for hashing.
 *
 * Not `JSON.stringify` with a key list, and no library: input is what `JSON.parse` made, within the
 * depth that `parseListing` allows, so that numbers and strings are already in their shortest form.
 *
 * @see RFC 8785
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

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
  return sha256Hex(canonicalJson(definition));
}
