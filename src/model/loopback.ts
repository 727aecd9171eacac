import { isIP } from "node:net";

/**
 * True for `localhost` and the addresses that only this machine can reach: 127.0.0.0/8 and ::1.
 *
 * @param host with or without the brackets of a URL, and the dot of the root.
 */
export function isLoopback(host: string): boolean {
  const name = bareHost(host);
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * The same, and every name below `localhost`. Only for addresses that are looked up and checked again:
 * not every resolver keeps such names on this machine.
 *
 * @see RFC 6761, section 6.3
 */
export function isLoopbackName(host: string): boolean {
  return isLoopback(host) || bareHost(host).endsWith(".localhost");
}

/** A host in lower case, without the brackets of a URL and without the dot of the root. */
export function bareHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
