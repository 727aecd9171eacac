import { Buffer } from "node:buffer";

/** The part of the metadata of a `deno compile` binary that the tests check. */
export interface CompiledMetadata {
  /** An empty list allows everything of its kind, null allows nothing. */
  readonly permissions: { readonly [kind: string]: unknown };
  readonly unstable_config: { readonly features: readonly string[] };
  readonly v8_flags: readonly string[];
  readonly app_name: string | null;
  readonly code_cache_key: number | null;
  readonly argv: readonly string[];
  readonly entrypoint_key: string;
}

/**
 * Reads the metadata of a compiled program without running it.
 *
 * @throws {Error} if the file is not a compiled program.
 */
export function readMetadata(path: string): CompiledMetadata {
  const bytes = Buffer.from(Deno.readFileSync(path).buffer);
  const mark = "d3n0l4nd";
  for (let at = bytes.lastIndexOf(mark); at > 0; at = bytes.lastIndexOf(mark, at - 1)) {
    // The mark, then a 64-bit length, then JSON.
    if (at + 24 > bytes.length || bytes[at + 16] !== 0x7b) continue;
    const end = at + 16 + Number(bytes.readBigUInt64LE(at + 8));
    if (end <= bytes.length) return JSON.parse(bytes.toString("utf8", at + 16, end));
  }
  throw new Error(`No compiled program in ${path}`);
}

/** Names of every embedded file and folder, without their paths. */
export function readEmbeddedNames(path: string): ReadonlySet<string> {
  const text = Buffer.from(Deno.readFileSync(path).buffer).toString("latin1");
  return new Set(
    [...text.matchAll(/"(?:File|Dir)":\{"n":"([^"]+)"/g)].map((match) => match[1] ?? ""),
  );
}

if (import.meta.main) console.log(JSON.stringify(readMetadata(Deno.args[0] ?? ""), null, 2));
