/**
 * The environment that this process was started with, and the proxy variables that are taken out of it.
 *
 * Deno's network code reads `HTTP_PROXY`, `NO_PROXY` and the like for each new HTTP client, and
 * they win over the client's own options: `NO_PROXY` alone would undo the pin of a checked address.
 * So this module removes them from the process before its first connection. It keeps their values
 * for our own connections, for secret references and for child processes.
 */
const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

const taken = new Map<string, string>();

/** Takes the proxy variables out of the process's environment. Further calls do nothing. */
export function takeProxyVariables(): void {
  for (const name of PROXY_VARIABLES) {
    const value = Deno.env.get(name);
    if (value === undefined) continue;
    taken.set(name, value);
    Deno.env.delete(name);
  }
}

/** The proxy variables of the site, under their original names. */
export function proxyVariables(): { [name: string]: string } {
  takeProxyVariables();
  return Object.fromEntries(taken);
}

/** One variable as the process was given it. */
export function siteVariable(name: string): string | undefined {
  return taken.get(name) ?? Deno.env.get(name);
}

/** All variables as the process was given them. */
export function siteEnvironment(): { [name: string]: string } {
  const proxies = proxyVariables();
  return { ...Deno.env.toObject(), ...proxies };
}
