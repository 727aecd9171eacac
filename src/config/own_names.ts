/** Each replica writes a chain of its own; a store of one process has one. */
export function chainName(store: string): string {
  if (!store.startsWith("postgres")) return "main";
  return Deno.env.get("TOOLGATE_REPLICA") ?? Deno.hostname();
}

/** Where this machine reaches a service that listens on a host. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host;
}
