import type { Operation, OperationBody } from "./operation.ts";
import { writeBody } from "./write_body.ts";
import {
  encodePairs,
  type Pair,
  UnwritableError,
  writeHeaderValue,
  writePairs,
  writePathValue,
} from "./write_parameters.ts";

/** A request, before credentials. */
export interface WrittenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: BodyInit | null;
}

export interface Arguments {
  readonly [name: string]: unknown;
}

/**
 * Writes one call as an HTTP request.
 *
 * @throws {UnwritableError} if an argument cannot be written in its place.
 */
export function writeRequest(
  operation: Operation,
  baseUrl: string,
  args: Arguments,
): WrittenRequest {
  const headers = new Headers({ accept: operation.accept });
  const query: string[] = [];
  const cookies: Pair[] = [];
  const pathValues = new Map<string, string>();
  for (const parameter of operation.parameters) {
    const value = ownValue(args, parameter.argument);
    if (value === undefined) continue;
    const { name, allowReserved } = parameter;
    switch (parameter.place) {
      case "path":
        pathValues.set(name, writePathValue(parameter, value));
        break;
      case "query": {
        const pairs = writePairs(name, parameter, value);
        if (pairs.length > 0) query.push(encodePairs(pairs, allowReserved));
        break;
      }
      case "header":
        headers.set(name, writeHeaderValue(parameter, value));
        break;
      case "cookie":
        cookies.push(...writePairs(name, parameter, value));
        break;
    }
  }
  if (cookies.length > 0) headers.set("cookie", encodePairs(cookies).replaceAll("&", "; "));
  const path = operation.path.replace(/\{([^}]*)\}/g, (_, name: string) => {
    const value = pathValues.get(name);
    if (value === undefined) throw new UnwritableError(`"${name}" is missing`);
    return value;
  });
  const url = new URL(`${baseUrl}${path}`);
  if (query.length > 0) url.search = [url.search.slice(1), ...query].filter(Boolean).join("&");
  const body = operation.body === null ? null : bodyOf(operation, operation.body, args, headers);
  return { method: operation.method, url, headers, body };
}

function bodyOf(
  operation: Operation,
  body: OperationBody,
  args: Arguments,
  headers: Headers,
): BodyInit | null {
  const value = body.argument === null
    ? remainingArguments(operation, args)
    : ownValue(args, body.argument);
  const isEmpty = value === undefined ||
    body.argument === null && Object.keys(value as object).length === 0;
  return isEmpty && !body.required ? null : writeBody(body, value, headers);
}

/** The arguments that are properties of the body. */
function remainingArguments(operation: Operation, args: Arguments): Arguments {
  const taken = new Set(operation.parameters.map(({ argument }) => argument));
  return Object.fromEntries(
    Object.entries(args).filter(([name, value]) => !taken.has(name) && value !== undefined),
  );
}

function ownValue(args: Arguments, name: string): unknown {
  return Object.hasOwn(args, name) ? args[name] : undefined;
}
