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

/** A document of the scale set: an operation with its texts already taken out of the schema. */
interface ScaleDocument {
  readonly key: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly params: string;
  readonly pdesc: string;
  readonly enums: string;
  readonly tags: string;
  readonly server: string;
  readonly path: string;
  readonly verb: string;
}

/** 50,000 operations as tools with a schema that has the same words. */
export async function readScaleTools(folder: string): Promise<DataTool[]> {
  const documents = await readData<ScaleDocument[]>(folder, "search/scale/docs_50000.json.gz");
  return documents.map((document) => {
    const [first = "value", ...names] = document.params.split(" ");
    const values = document.enums === "" ? undefined : document.enums.split(" ");
    return {
      key: document.key,
      name: document.name,
      title: document.title,
      description: document.description,
      server: document.server,
      tags: [document.tags],
      http: { method: document.verb, path: document.path },
      inputSchema: {
        type: "object",
        properties: {
          [first]: { type: "string", description: document.pdesc, enum: values },
          ...Object.fromEntries(names.map((name) => [name, { type: "string" }])),
        },
      },
    };
  });
}
