import type { JsonSchema } from "../../model/json/json.ts";
import { isNode } from "./document.ts";
import { essenceOf, isNeverText } from "./media_type.ts";
import { UnwritableError } from "./write_parameters.ts";

/** Bytes of a program arrive in this form; a program may also write `{base64}` itself. */
export const FILE_OBJECT_SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    base64: { type: "string", contentEncoding: "base64" },
    filename: { type: "string" },
    contentType: { type: "string" },
  },
  required: ["base64"],
  additionalProperties: false,
};

/**
 * A file block from the answer of another tool.
 * @see MCP, "Tool Result"
 */
const BLOCK_SCHEMA: JsonSchema = {
  type: "object",
  properties: { type: { enum: ["resource", "image", "audio"] } },
  required: ["type"],
};

/** The forms in which a program may give a file. */
export const FILE_SCHEMA: JsonSchema = {
  description: "Text as it is; bytes as Uint8Array, as {base64} or as the file block of a result",
  anyOf: [{ type: "string", format: "binary" }, FILE_OBJECT_SCHEMA, BLOCK_SCHEMA],
};

export interface FileValue {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly filename: string | null;
  readonly contentType: string | null;
  /** The program gave bytes, not a text. */
  readonly isBytes: boolean;
}

/**
 * Reads a file: a text as UTF-8, `{base64, filename, contentType}` and file blocks by their fields.
 *
 * @param contentType the type that the file is sent as; a text for a picture can only be base64.
 * @throws {UnwritableError}
 */
export function fileOf(value: unknown, contentType: string): FileValue {
  const given = givenFile(value);
  if (given !== null) return given;
  if (typeof value === "object" && value !== null) {
    throw new UnwritableError(
      'a file is a text, Uint8Array, {base64: "…"} or a block with its data',
    );
  }
  const text = String(value ?? "");
  if (text !== "" && isNeverText(essenceOf(contentType))) {
    const bytes = text.length % 4 === 0 ? decode(text) : null;
    if (bytes !== null) return { bytes, filename: null, contentType: null, isBytes: true };
    throw new UnwritableError(
      `a text is not ${essenceOf(contentType)}: give the bytes as Uint8Array or {base64: "…"}`,
    );
  }
  const bytes = new TextEncoder().encode(text);
  return { bytes, filename: null, contentType: null, isBytes: false };
}

/** Reads `{base64}` or a file block; null if the value has neither form. */
export function givenFile(value: unknown): FileValue | null {
  if (!isNode(value)) return null;
  const text = (node: unknown, key: string) =>
    isNode(node) && typeof node[key] === "string" ? node[key] : null;
  const file = (base64: string, filename: string | null, contentType: string | null): FileValue => {
    const bytes = decode(base64);
    if (bytes === null) throw new UnwritableError("the file is not base64");
    return { bytes, filename, contentType, isBytes: true };
  };
  if (typeof value.base64 === "string") {
    return file(value.base64, text(value, "filename"), text(value, "contentType"));
  }
  if (value.type === "image" || value.type === "audio") {
    const data = text(value, "data");
    return data === null ? null : file(data, null, text(value, "mimeType"));
  }
  if (value.type !== "resource") return null;
  const { resource } = value;
  const blob = text(resource, "blob");
  if (blob !== null) return file(blob, null, text(resource, "mimeType"));
  const words = text(resource, "text");
  return words === null ? null : {
    bytes: new TextEncoder().encode(words),
    filename: null,
    contentType: text(resource, "mimeType"),
    isBytes: false,
  };
}

function decode(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return null;
  }
}

const SIGNATURES: readonly (readonly [type: string, hex: string])[] = [
  ["image/png", "89504e47"],
  ["image/jpeg", "ffd8ff"],
  ["image/gif", "47494638"],
  ["image/webp", "52494646"],
  ["image/bmp", "424d"],
  ["image/tiff", "49492a00"],
  ["image/tiff", "4d4d002a"],
  ["application/pdf", "255044462d"],
];

/**
 * A concrete type for a range such as `image/*`, from the first bytes; `application/octet-stream`
 * if they are unknown.
 *
 * @see RFC 9110, section 8.3.1
 */
export function concreteType(range: string, bytes: Uint8Array): string {
  if (!range.includes("*")) return range;
  const [group = "*"] = range.split("/");
  const start = bytes.subarray(0, 8).toHex();
  const found = SIGNATURES.find(([type, hex]) =>
    start.startsWith(hex) && (group === "*" || type.startsWith(`${group}/`))
  );
  return found?.[0] ?? "application/octet-stream";
}
