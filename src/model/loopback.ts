import { isIP } from "node:net";

/**
 * True for `localhost` and the addresses that only this machine can reach: 127.0.0.0/8 and ::1.
 *
 * @param host may have the brackets of a URL and a trailing dot.
 */
export function isLoopback(host: string): boolean {
  const name = bareHost(host);
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * Like `isLoopback`, but also true for every name below `localhost`. Callers must check the
 * resolved address too, because not every resolver maps such names to this machine.
 *
 * @see RFC 6761, section 6.3
 */
export function isLoopbackName(host: string): boolean {
  return isLoopback(host) || bareHost(host).endsWith(".localhost");
}

/** A host in lower case, without the brackets of a URL and without a trailing dot. */
export function bareHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
