import { numbersToJson } from "../../model/json/exact_json.ts";
import { delimiterOf } from "./delimiter.ts";
import { isNode } from "./document.ts";
import type { Delimiter, OperationParameter, ParameterStyle } from "./operation.ts";

/** An argument cannot be written in its place. */
export class UnwritableError extends Error {
  override readonly name = "UnwritableError";
}

/**
 * A name and its value in a query, a form or a cookie; not yet encoded. A list is one value:
 * encoding leaves its delimiter, so that it differs from the same character inside an item.
 */
export type Pair = readonly [name: string, value: string | DelimitedList];

export interface DelimitedList {
  readonly items: readonly string[];
  /** The delimiter as a query has it. */
  readonly delimiter: "," | "%20" | "%7C" | "%09";
}

const DEPTH_MAX = 8;

/**
 * Encodes all characters but letters, digits and `-._~`: without `allowReserved` no reserved
 * character stays.
 *
 * @see RFC 3986, section 2.2; OpenAPI 3.0.3, Parameter Object, `allowReserved`
 */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The value of a path parameter, percent-encoded, ready to stand in the path. */
export function writePathValue(parameter: OperationParameter, given: unknown): string {
  const { name, style, explode } = parameter;
  const value = joinNested(given, parameter.nested);
  const encoded = style === "label"
    ? writeLabel(value, explode)
    : style === "matrix"
    ? writeMatrix(name, value, explode)
    : style === "json"
    ? percentEncode(numbersToJson(value))
    : writeSimple(value, explode, queryDelimiter(style), percentEncode);
  if (encoded === "") throw new UnwritableError(`"${parameter.argument}" is empty`);
  // URL parsers read these as "this" and "up" even if encoded, so refuse them.
  if (/^(\.|%2e){1,2}$/i.test(encoded)) {
    throw new UnwritableError(`"${parameter.argument}" is not a name`);
  }
  return encoded;
}

/** The value of a header. @throws {UnwritableError} if it could break out of its line. */
export function writeHeaderValue(parameter: OperationParameter, value: unknown): string {
  const { style, explode, nested } = parameter;
  const text = style === "json"
    ? numbersToJson(value)
    : writeSimple(joinNested(value, nested), explode, delimiterOf(style), (part) => part);
  if (/[\0\r\n]/.test(text)) throw new UnwritableError(`"${parameter.argument}" has a line break`);
  if (/[^\t\x20-\xff]/.test(text)) {
    throw new UnwritableError(`"${parameter.argument}" has characters that no header can carry`);
  }
  return text;
}

/** How a value becomes pairs. */
export interface PairForm {
  readonly style: ParameterStyle;
  readonly explode: boolean;
  /** Delimiters of lists inside of the list, outermost first. */
  readonly nested?: readonly Delimiter[];
}

/** A value as pairs, for queries, cookies and forms. */
export function writePairs(name: string, form: PairForm, given: unknown): readonly Pair[] {
  const { style, explode, nested = [] } = form;
  if (given === undefined) return [];
  const value = joinNested(given, nested);
  if (style === "json") return [[name, numbersToJson(value)]];
  if (style === "text") return [[name, primitive(value)]];
  if (style === "deepObject") return writeDeep(name, value, 0);
  if (Array.isArray(value)) {
    if (explode) return value.map((item) => [name, primitive(item)]);
    const list = { items: value.map(primitive), delimiter: queryDelimiter(style) };
    return value.length === 0 ? [] : [[name, list]];
  }
  if (isNode(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    if (explode) return entries.map(([key, inner]) => [key, primitive(inner)]);
    const items = entries.flatMap(([key, inner]) => [key, primitive(inner)]);
    return [[name, { items, delimiter: queryDelimiter(style) }]];
  }
  return [[name, primitive(value)]];
}

/** `a[b][0]=c`. Lists get numbers, so that their objects stay together. */
function writeDeep(name: string, value: unknown, depth: number): readonly Pair[] {
  if (depth > DEPTH_MAX) throw new UnwritableError(`"${name}" is nested too deep`);
  const entries = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : isNode(value)
    ? Object.entries(value)
    : null;
  if (entries === null) return [[name, primitive(value)]];
  return entries.filter(([, inner]) => inner !== undefined)
    .flatMap(([key, inner]) => writeDeep(`${name}[${key}]`, inner, depth + 1));
}

/**
 * Pairs as a query or form body.
 *
 * @param allowReserved keeps `:/?@!$'()*,;=` of values readable; `#`, `&`, `+`, `[` and `]` stay
 * encoded.
 */
export function encodePairs(pairs: readonly Pair[], allowReserved = false): string {
  const encode = (text: string) =>
    allowReserved ? encodeURI(text).replace(/[#&+]/g, percentEncode) : percentEncode(text);
  return pairs.map(([name, value]) => {
    const encoded = typeof value === "string"
      ? encode(value)
      : value.items.map(encode).join(value.delimiter);
    return `${percentEncode(name).replace(/%5B/g, "[").replace(/%5D/g, "]")}=${encoded}`;
  }).join("&");
}

/**
 * @param delimiter separates the items of a list; commas separate names and values of an object.
 */
function writeSimple(
  value: unknown,
  explode: boolean,
  delimiter: string,
  encode: (text: string) => string,
): string {
  if (Array.isArray(value)) return value.map((item) => encode(primitive(item))).join(delimiter);
  if (!isNode(value)) return encode(primitive(value));
  return Object.entries(value)
    .map(([key, inner]) => `${encode(key)}${explode ? "=" : ","}${encode(primitive(inner))}`)
    .join(",");
}

function writeLabel(value: unknown, explode: boolean): string {
  if (isNode(value) && explode) {
    return Object.entries(value)
      .map(([key, inner]) => `.${percentEncode(key)}=${percentEncode(primitive(inner))}`)
      .join("");
  }
  const parts = Array.isArray(value)
    ? value
    : isNode(value)
    ? Object.entries(value).flat()
    : [value];
  return `.${parts.map((part) => percentEncode(primitive(part))).join(explode ? "." : ",")}`;
}

function writeMatrix(name: string, value: unknown, explode: boolean): string {
  const pair = (key: string, inner: unknown) =>
    `;${percentEncode(key)}=${percentEncode(primitive(inner))}`;
  if (Array.isArray(value) && explode) return value.map((item) => pair(name, item)).join("");
  if (isNode(value) && explode) {
    return Object.entries(value).map(([key, inner]) => pair(key, inner)).join("");
  }
  const parts = Array.isArray(value)
    ? value
    : isNode(value)
    ? Object.entries(value).flat()
    : [value];
  const list = parts.map((part) => percentEncode(primitive(part))).join(",");
  return `;${percentEncode(name)}=${list}`;
}

/** Joins each list inside a list into one text. */
function joinNested(value: unknown, nested: readonly Delimiter[]): unknown {
  const [delimiter, ...rest] = nested;
  if (delimiter === undefined || !Array.isArray(value)) return value;
  return value.map((item) => {
    const inner = joinNested(item, rest);
    return Array.isArray(inner) ? inner.map(primitive).join(delimiter) : inner;
  });
}

function queryDelimiter(style: ParameterStyle): DelimitedList["delimiter"] {
  switch (delimiterOf(style)) {
    case " ":
      return "%20";
    case "|":
      return "%7C";
    case "\t":
      return "%09";
  }
  return ",";
}

/** A value as text: null is empty, objects and lists are JSON. */
export function primitive(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? numbersToJson(value) : String(value);
}
