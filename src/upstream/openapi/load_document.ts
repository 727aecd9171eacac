import { isScalar, isSeq, parseDocument as parseYaml, visit, type YAMLMap } from "yaml";
import { GateError } from "../../model/errors.ts";
import { isNode, type OpenapiDocument, type OpenapiVersion, textOf } from "./document.ts";

export const DOCUMENT_BYTES_MAX = 134_217_728;

/**
 * Reads a document: JSON or YAML, gzipped or not.
 *
 * @throws {GateError} `ERR_CONFIG` with the reason.
 */
export async function parseDocument(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<OpenapiDocument> {
  const text = new TextDecoder().decode(await unzip(bytes, name));
  let root: unknown;
  try {
    root = /^\s*\{/.test(text) ? JSON.parse(text) : readYaml(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw unreadable(name, `it is neither JSON nor YAML (${reason})`);
  }
  if (!isNode(root)) throw unreadable(name, "it is not an object");
  const version = versionOf(root);
  if (version === null) throw unreadable(name, "it is not OpenAPI 3.0, 3.1 or Swagger 2.0");
  return { root, version };
}

/**
 * Reads YAML with merge keys, which OpenAPI tools apply although YAML 1.2 has none.
 *
 * In an enum of texts an unquoted `1.0` stays the text "1.0".
 */
function readYaml(text: string): unknown {
  const yaml = parseYaml(text, { merge: true });
  const [problem] = yaml.errors;
  if (problem !== undefined) throw problem;
  visit(yaml, {
    Map(_, map) {
      if (map.get("type") === "string") keepSpelling(map);
    },
  });
  return yaml.toJS({ maxAliasCount: 1_000 });
}

function keepSpelling(map: YAMLMap): void {
  const list = map.get("enum", true) as unknown;
  const values = isSeq(list) ? list.items : [];
  for (const value of [...values, map.get("const", true), map.get("default", true)]) {
    if (!isScalar(value) || value.source === undefined) continue;
    if (typeof value.value === "number" || typeof value.value === "boolean") {
      value.value = value.source;
    }
  }
}

function versionOf(root: { readonly [key: string]: unknown }): OpenapiVersion | null {
  if (textOf(root.swagger) === "2.0" || root.swagger === 2) return "2.0";
  const version = String(root.openapi);
  // YAML reads an unquoted 3.0 as the number 3.
  if (version === "3" || version.startsWith("3.0")) return "3.0";
  return /^3\.[1-9]/.test(version) ? "3.1" : null;
}

/** Unpacks gzip, up to `DOCUMENT_BYTES_MAX`. */
async function unzip(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  for await (const part of stream) {
    size += part.length;
    if (size > DOCUMENT_BYTES_MAX) throw unreadable(name, "it is too large when unpacked");
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export function unreadable(name: string, why: string): GateError {
  return new GateError("ERR_CONFIG", `Cannot use the OpenAPI document "${name}": ${why}`, {
    hint: "Check the path in openapi.<name>.spec",
  });
}
