import {
  BrokenReferenceError,
  followReference,
  isNode,
  listOf,
  type Node,
  nodeOf,
  type OpenapiDocument,
  textOf,
} from "./document.ts";
import { UnwritableError } from "./write_parameters.ts";

const DEPTH_MAX = 64;
const NAME = /^[\p{L}_][\p{L}\p{N}\p{M}_.:-]*$/u;

/**
 * Writes values as XML, following the XML Objects of their schema.
 *
 * @returns a function that writes one value.
 * @see OpenAPI 3.0.3, "XML Object"
 */
export function createXmlWriter(
  document: OpenapiDocument,
  schema: unknown,
): (value: unknown) => string {
  const follow = (at: unknown): Node => {
    try {
      return nodeOf(followReference(document, at));
    } catch (error) {
      if (error instanceof BrokenReferenceError) return {};
      throw error;
    }
  };
  return (value) => {
    const root = follow(schema);
    const name = textOf(nodeOf(root.xml).name) || referenceName(schema) || "root";
    if (!Array.isArray(value)) return element(follow, schema, { name, depth: 0 }, value);
    // A document must have one root, even if the schema says that the list has no wrapper.
    const items = itemName(follow, root, name) ?? name;
    const place = { name: items, depth: 1 };
    const inner = value.map((item) => element(follow, root.items, place, item)).join("");
    return wrap(nameOf(root, name), namespaceOf(root), inner);
  };
}

type Follow = (schema: unknown) => Node;

/** Where an element stands in the document. */
interface Place {
  /** The name it gets unless its schema has one. */
  readonly name: string;
  readonly depth: number;
}

function element(follow: Follow, schema: unknown, place: Place, value: unknown): string {
  const { name, depth } = place;
  if (depth > DEPTH_MAX) throw new UnwritableError("the XML is nested too deep");
  if (value === undefined) return "";
  const node = follow(schema);
  if (Array.isArray(value)) return list(follow, node, place, value);
  const tag = nameOf(node, name);
  if (!isNode(value)) return wrap(tag, namespaceOf(node), escapeText(scalar(value)));
  let attributes = namespaceOf(node);
  let inner = "";
  for (const [key, each] of Object.entries(value)) {
    if (each === undefined) continue;
    const property = propertyOf(follow, node, key);
    const xml = nodeOf(follow(property).xml);
    if (xml.attribute === true) {
      attributes += ` ${checked(nameOf(follow(property), key))}="${escapeAttribute(scalar(each))}"`;
    } else inner += element(follow, property, { name: key, depth: depth + 1 }, each);
  }
  return wrap(tag, attributes, inner);
}

/** Items side by side, or inside a wrapper element. */
function list(
  follow: Follow,
  node: Node,
  { name, depth }: Place,
  values: readonly unknown[],
): string {
  const isWrapped = nodeOf(node.xml).wrapped === true;
  const outer = isWrapped ? nameOf(node, name) : name;
  const own = itemName(follow, node, outer) ?? outer;
  const place = { name: own, depth: depth + 1 };
  const inner = values.map((item) => element(follow, node.items, place, item)).join("");
  return isWrapped ? wrap(outer, namespaceOf(node), inner) : inner;
}

function itemName(follow: Follow, node: Node, name: string): string | null {
  const items = follow(node.items);
  return textOf(nodeOf(items.xml).name) === "" ? null : nameOf(items, name);
}

/** The schema of a property, also from `allOf`, `oneOf` and `anyOf`. */
function propertyOf(follow: Follow, node: Node, name: string, depth = 0): unknown {
  const properties = nodeOf(node.properties);
  if (Object.hasOwn(properties, name)) return properties[name];
  if (depth > 8) return undefined;
  for (const part of [...listOf(node.allOf), ...listOf(node.oneOf), ...listOf(node.anyOf)]) {
    const found = propertyOf(follow, follow(part), name, depth + 1);
    if (found !== undefined) return found;
  }
  return isNode(node.additionalProperties) ? node.additionalProperties : undefined;
}

function nameOf(node: Node, usual: string): string {
  const xml = nodeOf(node.xml);
  // The XML name of a list names its wrapper; without a wrapper it has no effect.
  const isBare = node.type === "array" && xml.wrapped !== true;
  const own = isBare ? usual : textOf(xml.name) || usual;
  const prefix = textOf(xml.prefix);
  return prefix === "" || own.includes(":") ? own : `${prefix}:${own}`;
}

function namespaceOf(node: Node): string {
  const { namespace, prefix } = nodeOf(node.xml);
  if (typeof namespace !== "string" || namespace === "") return "";
  const suffix = textOf(prefix) === "" ? "" : `:${checked(textOf(prefix))}`;
  return ` xmlns${suffix}="${escapeAttribute(namespace)}"`;
}

function referenceName(schema: unknown): string {
  const reference = isNode(schema) ? textOf(schema.$ref) : "";
  return reference.split("/").at(-1)?.replaceAll(/[^\w.-]/g, "_") ?? "";
}

function wrap(name: string, attributes: string, inner: string): string {
  const tag = checked(name);
  return inner === "" ? `<${tag}${attributes}/>` : `<${tag}${attributes}>${inner}</${tag}>`;
}

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new UnwritableError(`"${name.slice(0, 60)}" is not a name of an XML element`);
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function escapeText(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what XML cannot hold
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)) {
    throw new UnwritableError("a text has characters that XML cannot hold");
  }
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;")
    .replaceAll("\t", "&#9;");
}
