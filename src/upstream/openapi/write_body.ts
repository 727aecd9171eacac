import { numbersToJson } from "../../model/json/exact_json.ts";
import { encodeText } from "./charset.ts";
import { isNode } from "./document.ts";
import { concreteType, fileOf, givenFile } from "./file_value.ts";
import { charsetOf, essenceOf, isJson } from "./media_type.ts";
import type { OperationBody } from "./operation.ts";
import { writeJsonLines, writeTable } from "./write_lines.ts";
import { writeMultipart } from "./write_multipart.ts";
import { encodePairs, primitive, UnwritableError, writePairs } from "./write_parameters.ts";

type Fields = { readonly [name: string]: unknown };

/**
 * Writes the body of a request.
 *
 * @param headers gets the content type.
 * @throws {UnwritableError}
 */
export function writeBody(body: OperationBody, value: unknown, headers: Headers): BodyInit {
  switch (body.kind) {
    case "json":
      headers.set("content-type", body.contentType);
      return numbersToJson(value ?? {});
    case "form":
      headers.set("content-type", "application/x-www-form-urlencoded");
      return Object.entries(fieldsOf(value)).map(([name, field]) => formField(body, name, field))
        .filter((text) => text !== "").join("&");
    case "multipart":
      return writeMultipart(body, fieldsOf(value), headers);
    case "binary":
      return writeFile(body, value, headers);
    case "any":
      if (typeof value === "string" || givenFile(value) !== null) {
        return writeFile(body, value, headers);
      }
      headers.set("content-type", "application/json");
      return numbersToJson(value ?? null);
    case "text":
    case "xml":
    case "csv":
    case "lines":
      return writeText(body, value, headers);
  }
}

function writeFile(body: OperationBody, value: unknown, headers: Headers): BodyInit {
  const file = fileOf(value, body.contentType);
  headers.set("content-type", file.contentType ?? concreteType(body.contentType, file.bytes));
  return file.bytes;
}

/** Sends a text unchanged, and other values in the format of the content type. */
function writeText(body: OperationBody, value: unknown, headers: Headers): BodyInit {
  const file = givenFile(value);
  if (file !== null) {
    headers.set("content-type", file.contentType ?? body.contentType);
    return file.bytes;
  }
  const text = typeof value === "string"
    ? value
    : body.kind === "xml" && body.toXml !== null
    ? body.toXml(value ?? {})
    : body.kind === "csv"
    ? writeTable(value ?? [], body.contentType)
    : body.kind === "lines"
    ? writeJsonLines(value ?? [], body.contentType)
    : primitive(value);
  const charset = charsetOf(body.contentType);
  const bytes = charset === null ? null : encodeText(text, charset);
  if (bytes !== null) {
    headers.set("content-type", body.contentType);
    return bytes;
  }
  // ASCII needs no charset. UTF-8 replaces a charset that toolgate cannot write.
  const isPlain = charset === null && (body.kind !== "text" || /^[\0-\x7f]*$/.test(text));
  const bare = body.contentType.replace(/;\s*charset\s*=\s*("[^"]*"|[^;]*)/i, "");
  headers.set("content-type", isPlain ? body.contentType : `${bare}; charset=utf-8`);
  return new TextEncoder().encode(text);
}

/** One property of a form. @see OpenAPI 3.1.1, "Encoding Object" */
function formField(body: OperationBody, name: string, value: unknown): string {
  const encoding = body.encoding.get(name);
  if (encoding !== undefined && encoding.style !== null) {
    const { style, explode, allowReserved, nested } = encoding;
    return encodePairs(writePairs(name, { style, explode, nested }, value), allowReserved);
  }
  if (encoding !== undefined && encoding.contentType !== null) {
    const isJsonField = isJson(essenceOf(encoding.contentType));
    const form = isJsonField
      ? { style: "json", explode: false } as const
      : { style: "form", explode: true } as const;
    return encodePairs(writePairs(name, form, value));
  }
  const hasObjects = (Array.isArray(value) ? value : [value]).some(isNode);
  const style = hasObjects ? "deepObject" : "form";
  return encodePairs(writePairs(name, { style, explode: true }, value));
}

function fieldsOf(value: unknown): Fields {
  if (value === undefined) return {};
  if (!isNode(value)) throw new UnwritableError("a form is not an object");
  return value;
}
