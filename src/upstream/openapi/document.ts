import { isFields } from "../../model/json/fields.ts";

/** An unchecked object of a document. */
export interface Node {
  readonly [key: string]: unknown;
}

export type OpenapiVersion = "2.0" | "3.0" | "3.1";

/** An OpenAPI or Swagger document. Its content is untrusted. */
export interface OpenapiDocument {
  readonly root: Node;
  readonly version: OpenapiVersion;
}

/** An operation and its place in the document. */
export interface FoundOperation {
  readonly path: string;
  readonly method: string;
  readonly pathItem: Node;
  readonly operation: Node;
}

const HOPS_MAX = 16;
const POINTER_CHARS_MAX = 2_000;

export function isNode(value: unknown): value is Node {
  return isFields(value);
}

/** The value if it is an object, else an empty one. */
export function nodeOf(value: unknown): Node {
  return isNode(value) ? value : {};
}

/** The value if it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is a text, else an empty one. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A reference that leads nowhere, in a circle, or out of the document. */
export class BrokenReferenceError extends Error {
  override readonly name = "BrokenReferenceError";
}

/**
 * Follows `$ref` until the value is not a reference.
 *
 * Follows only references into the document itself; never reads files or the network.
 *
 * @throws {BrokenReferenceError}
 */
export function followReference(document: OpenapiDocument, value: unknown): unknown {
  let at = value;
  for (let hops = 0; isNode(at) && typeof at.$ref === "string"; hops++) {
    if (hops === HOPS_MAX) throw new BrokenReferenceError(`"${cut(at.$ref)}" leads in a circle`);
    at = lookUpPointer(document, at.$ref);
  }
  return at;
}

/** The value at `#/a/b`. @see RFC 6901 */
export function lookUpPointer(document: OpenapiDocument, reference: string): unknown {
  if (!reference.startsWith("#/") || reference.length > POINTER_CHARS_MAX) {
    throw new BrokenReferenceError(`"${cut(reference)}" is outside of the document`);
  }
  let at: unknown = document.root;
  for (const segment of reference.slice(2).split("/")) {
    const key = decodeSegment(segment);
    const inside = typeof at === "object" && at !== null && Object.hasOwn(at, key);
    if (!inside) throw new BrokenReferenceError(`"${cut(reference)}" leads nowhere`);
    at = (at as Node)[key];
  }
  return at;
}

function decodeSegment(segment: string): string {
  const unescaped = segment.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(unescaped);
  } catch {
    return unescaped;
  }
}

function cut(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
