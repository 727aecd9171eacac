import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

/** The folder of public catalogs and queries, or null where there is none. */
export function dataFolder(): string | null {
  const named = Deno.env.get("TOOLGATE_DATA");
  const path = named ?? new URL("../../../shared/data", import.meta.url).pathname;
  return existsSync(`${path}/search`) ? path : null;
}

/** A JSON file of the folder, gzipped or not. */
export async function readData<Value>(folder: string, path: string): Promise<Value> {
  const bytes = await readFile(`${folder}/${path}`);
  const text = path.endsWith(".gz") ? gunzipSync(bytes).toString("utf8") : bytes.toString("utf8");
  return JSON.parse(text);
}

/** A tool as the labelled sets write it. */
export interface DataTool {
  readonly key: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly server: string;
  readonly serverTitle?: string;
  readonly serverDescription?: string;
  readonly tags?: readonly string[];
  readonly http?: { readonly method: string; readonly path: string };
  readonly inputSchema?: { readonly [key: string]: unknown };
  readonly outputSchema?: { readonly [key: string]: unknown };
}

export interface DataQuery {
  readonly id: string;
  readonly query: string;
  readonly relevant: readonly string[];
  /** One of `relevant` is enough. */
  readonly any?: boolean;
}
