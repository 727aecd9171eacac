/** The name of this process's audit chain: each replica writes its own, a local store has one. */
export function chainName(store: string): string {
  if (!store.startsWith("postgres")) return "main";
  return Deno.env.get("TOOLGATE_REPLICA") ?? Deno.hostname();
}

/** The host name under which this machine reaches a service that listens on `host`. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host;
}
