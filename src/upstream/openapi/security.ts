import { followReference, nodeOf, type OpenapiDocument, textOf } from "./document.ts";
import type { Operation } from "./operation.ts";

/** Where the value of one security scheme goes. */
export type SecurityScheme =
  | { readonly kind: "header" | "query" | "cookie"; readonly name: string }
  | { readonly kind: "bearer" | "basic" };

/** The headers and query parameters that carry the credentials. */
export interface SecurityParts {
  readonly headers: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string };
}

/** The security schemes of a document that toolgate can serve, by name. */
export function readSecuritySchemes(
  document: OpenapiDocument,
): ReadonlyMap<string, SecurityScheme> {
  const { root } = document;
  const definitions = nodeOf(
    document.version === "2.0" ? root.securityDefinitions : nodeOf(root.components).securitySchemes,
  );
  const schemes = new Map<string, SecurityScheme>();
  for (const [name, raw] of Object.entries(definitions)) {
    const scheme = nodeOf(followReference(document, raw));
    const place = textOf(scheme.in);
    if (
      scheme.type === "apiKey" && (place === "header" || place === "query" || place === "cookie")
    ) {
      schemes.set(name, { kind: place, name: textOf(scheme.name) });
    } else if (
      scheme.type === "basic" ||
      scheme.type === "http" && textOf(scheme.scheme).toLowerCase() === "basic"
    ) {
      schemes.set(name, { kind: "basic" });
    } else schemes.set(name, { kind: "bearer" });
  }
  return schemes;
}

/**
 * The credentials of one operation, from the first alternative whose schemes all have a value.
 *
 * @param resolve gives the value of a scheme, with its secrets resolved.
 */
export async function securityParts(
  operation: Pick<Operation, "security">,
  schemes: ReadonlyMap<string, SecurityScheme>,
  configured: { readonly [scheme: string]: string },
  resolve: (text: string) => Promise<string>,
): Promise<SecurityParts> {
  const headers: { [name: string]: string } = {};
  const query: { [name: string]: string } = {};
  const chosen = operation.security.find((alternative) =>
    alternative.length > 0 && alternative.every((name) => Object.hasOwn(configured, name))
  );
  const cookies: string[] = [];
  for (const name of chosen ?? []) {
    const scheme = schemes.get(name);
    const text = configured[name];
    if (scheme === undefined || text === undefined) continue;
    const value = await resolve(text);
    switch (scheme.kind) {
      case "bearer":
        headers.authorization = /^Bearer /i.test(value) ? value : `Bearer ${value}`;
        break;
      case "basic":
        headers.authorization = /^Basic /i.test(value)
          ? value
          : `Basic ${new TextEncoder().encode(value).toBase64()}`;
        break;
      case "header":
        headers[scheme.name] = value;
        break;
      case "query":
        query[scheme.name] = value;
        break;
      case "cookie":
        cookies.push(`${scheme.name}=${encodeURIComponent(value)}`);
        break;
    }
  }
  if (cookies.length > 0) headers.cookie = cookies.join("; ");
  return { headers, query };
}
