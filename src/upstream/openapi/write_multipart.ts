import { numbersToJson } from "../../model/json/exact_json.ts";
import { delimiterOf } from "./delimiter.ts";
import { isNode } from "./document.ts";
import { concreteType, fileOf, givenFile } from "./file_value.ts";
import { essenceOf, isJson } from "./media_type.ts";
import type { FormEncoding, OperationBody } from "./operation.ts";
import { primitive, UnwritableError, writePairs } from "./write_parameters.ts";

/** A part of a form. */
interface Part {
  readonly name: string;
  /** Null for a part that is not a file: servers treat every part with a file name as a file. */
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes a multipart form: files with their names, objects as JSON, other values as text.
 *
 * Written by hand, because `FormData` gives each part with a content type a file name.
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
    valuesOf(body.encoding.get(name), value).map((item) => partOf(body, name, item))
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

/**
 * The values of the parts of one property: a list gives one for each item, unless a style joins
 * them.
 */
function valuesOf(encoding: FormEncoding | undefined, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [value];
  if (encoding === undefined || encoding.style === null) return value;
  const { style, explode, nested } = encoding;
  return writePairs("", { style, explode, nested }, value).map(([, each]) =>
    typeof each === "string" ? each : each.items.join(delimiterOf(style))
  );
}

function partOf(body: OperationBody, name: string, value: unknown): Part {
  const contentType = body.encoding.get(name)?.contentType ?? null;
  const given = givenFile(value);
  if (given !== null || body.files.has(name)) {
    const file = given ?? fileOf(value, contentType ?? "");
    return {
      name,
      filename: file.filename ?? name,
      contentType: file.contentType ??
        (contentType === null ? null : concreteType(contentType, file.bytes)) ??
        (file.isBytes ? "application/octet-stream" : "text/plain; charset=utf-8"),
      bytes: file.bytes,
    };
  }
  const isObject = isNode(value) || Array.isArray(value);
  const isJsonPart = contentType === null ? isObject : isJson(essenceOf(contentType));
  return {
    name,
    filename: null,
    contentType: contentType ?? (isObject ? "application/json" : null),
    bytes: new TextEncoder().encode(isJsonPart ? jsonOf(value) : primitive(value)),
  };
}

/** A value as JSON; a text that already holds a JSON object or list stays unchanged. */
function jsonOf(value: unknown): string {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    try {
      JSON.parse(value);
      return value;
    } catch {
      // An ordinary text that starts with a bracket.
    }
  }
  return numbersToJson(value ?? null);
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
