import { isNode, listOf, type Node, nodeOf, type OpenapiDocument, textOf } from "./document.ts";

export interface ServerOptions {
  /** Values of server variables, by name. */
  readonly variables: { readonly [name: string]: string };
  /** The URL that the document came from, the base of relative servers; null for a file. */
  readonly documentUrl: string | null;
  /** The operator's base URL, without a slash at its end: wins over all servers in the document. */
  readonly baseUrl: string | null;
}

/**
 * Where an operation is called: the operation's own server, else its path's, else the document's.
 *
 * @returns a URL without a slash at its end; null if the document does not name a host.
 * @throws {Error} with the reason if a variable has no value or one that is not allowed.
 */
export function readServer(
  document: OpenapiDocument,
  pathItem: Node,
  operation: Node,
  options: ServerOptions,
): string | null {
  if (options.baseUrl !== null) return options.baseUrl;
  const url = document.version === "2.0"
    ? swaggerUrl(document.root)
    : serverUrl([operation, pathItem, document.root], options.variables);
  if (url === null) return null;
  const absolute = URL.canParse(url)
    ? new URL(url)
    : options.documentUrl !== null
    ? new URL(url, options.documentUrl)
    : null;
  if (absolute === null || !/^https?:$/.test(absolute.protocol)) return null;
  return `${absolute.origin}${absolute.pathname}`.replace(/\/+$/, "");
}

function serverUrl(
  places: readonly Node[],
  values: { readonly [name: string]: string },
): string | null {
  const server = places.map(({ servers }) => listOf(servers)[0]).find(isNode);
  if (server === undefined) return "/";
  const variables = nodeOf(server.variables);
  return textOf(server.url).replace(/\{([^}]+)\}/g, (_, name: string) => {
    const variable = nodeOf(variables[name]);
    const given = Object.hasOwn(values, name) ? values[name] : variable.default;
    const value = typeof given === "number" ? String(given) : given;
    if (typeof value !== "string") {
      throw new Error(`server variable "${name}" has no value`);
    }
    const allowed = listOf(variable.enum);
    if (allowed.length > 0 && !allowed.map(String).includes(value)) {
      throw new Error(`server variable "${name}" cannot be "${value}"`);
    }
    return value;
  });
}

function swaggerUrl(root: Node): string | null {
  const basePath = textOf(root.basePath) || "/";
  const host = textOf(root.host);
  if (host === "") return basePath;
  const schemes = listOf(root.schemes);
  return `${
    schemes.includes("https") || schemes.length === 0 ? "https" : "http"
  }://${host}${basePath}`;
}
