import { isNode } from "./document.ts";
import type { OperationBody } from "./operation.ts";
import { UnwritableError } from "./write_parameters.ts";

/** A part of a form. */
interface Part {
  readonly name: string;
  /** Null for a part that is no file: a server takes every part with a file name for one. */
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes a form of parts: files with their names, objects as JSON, everything else as text.
 *
 * By hand, because `FormData` gives every part that has a content type a file name, too.
 *
 * @param headers gets the content type with the boundary.
 * @see RFC 7578
 */
export function writeMultipart(
  body: OperationBody,
  fields: { readonly [name: string]: unknown },
  headers: Headers,
): Uint8Array<ArrayBuffer> {
  const boundary = `toolgate-${crypto.randomUUID()}`;
  const essence = body.contentType.split(";")[0]?.trim() ?? "multipart/form-data";
  headers.set("content-type", `${essence}; boundary=${boundary}`);
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item) => partOf(body, name, item))
  );
  const encoder = new TextEncoder();
  const chunks = parts.flatMap((part) => [
    encoder.encode(`--${boundary}\r\n${headOf(part)}\r\n\r\n`),
    part.bytes,
    encoder.encode("\r\n"),
  ]);
  chunks.push(encoder.encode(`--${boundary}--\r\n`));
  return Buffer.concat(chunks);
}

function partOf(body: OperationBody, name: string, value: unknown): Part {
  const contentType = body.encoding.get(name)?.contentType ?? null;
  const isGiven = isNode(value) && typeof value.base64 === "string";
  if (isGiven || body.files.has(name)) {
    const file = fileOf(value);
    return {
      name,
      filename: file.filename ?? name,
      contentType: file.contentType ?? contentType ??
        (isGiven ? "application/octet-stream" : "text/plain; charset=utf-8"),
      bytes: file.bytes,
    };
  }
  const isObject = isNode(value) || Array.isArray(value);
  const text = isObject
    ? JSON.stringify(value)
    : value === null || value === undefined
    ? ""
    : String(value);
  return {
    name,
    filename: null,
    contentType: contentType ?? (isObject ? "application/json" : null),
    bytes: new TextEncoder().encode(text),
  };
}

function headOf({ name, filename, contentType }: Part): string {
  const disposition = `Content-Disposition: form-data; name="${quoted(name)}"` +
    (filename === null ? "" : `; filename="${quoted(filename)}"`);
  return contentType === null
    ? disposition
    : `${disposition}\r\nContent-Type: ${lineOf(contentType)}`;
}

/** As browsers write it. @see HTML, "multipart/form-data encoding algorithm" */
function quoted(text: string): string {
  return text.toWellFormed().replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}

function lineOf(contentType: string): string {
  if (!/^[\t\x20-\x7e]*$/.test(contentType)) {
    throw new UnwritableError("the content type of a file has characters that no header can carry");
  }
  return contentType;
}

/** Text as UTF-8, or `{base64, filename, contentType}` as what it says. */
export function fileOf(value: unknown): {
  bytes: Uint8Array<ArrayBuffer>;
  filename: string | null;
  contentType: string | null;
} {
  if (isNode(value) && typeof value.base64 === "string") {
    const text = (key: string) => typeof value[key] === "string" ? value[key] : null;
    try {
      const bytes = Uint8Array.fromBase64(value.base64);
      return { bytes, filename: text("filename"), contentType: text("contentType") };
    } catch {
      throw new UnwritableError("the file is not base64");
    }
  }
  const bytes = new TextEncoder().encode(
    typeof value === "string" ? value : JSON.stringify(value ?? ""),
  );
  return { bytes, filename: null, contentType: null };
}
