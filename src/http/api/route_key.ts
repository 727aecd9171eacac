/** Method and path below `/api/v1`; a path parameter is written `:name`. */
export type RouteKey = `${Method} /${string}`;

export type Method = "GET" | "POST" | "DELETE";

/** The names of the path parameters of a key. */
export type PathParams<Key extends string> = Key extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParams<Rest>
  : Key extends `${string}:${infer Name}` ? Name
  : never;

export function splitKey(key: RouteKey): { readonly method: string; readonly path: string } {
  const blank = key.indexOf(" ");
  return { method: key.slice(0, blank), path: key.slice(blank + 1) };
}

/** Replaces each parameter of a path with the text that `write` returns. */
export function fillPath(path: string, write: (name: string) => string): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => write(name));
}
