import { BlockList, isIP } from "node:net";
import { isLoopback } from "../../model/loopback.ts";
import { parseAddress } from "../../model/parse_address.ts";

/** Finds out where a request comes from, as far as the service can know. */
export interface Peers {
  /** Key to count connections by; null for peers whose connections are not counted. */
  keyOf(address: string): string | null;
  /** The address that a trusted proxy names, as a key; null if the peer is not a proxy or names none. */
  forwardedKeyOf(address: string, forwardedFor: string | null): string | null;
  /** The scheme that the client used: from a trusted proxy, else that of the listener. */
  schemeOf(address: string, forwardedProto: string | null): "http" | "https";
}

/** @param trustedProxies addresses and CIDR ranges. */
export function createPeers(trustedProxies: readonly string[]): Peers {
  const proxies = new BlockList();
  for (const entry of trustedProxies) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  const isProxy = (address: string) => {
    const family = isIP(address);
    return family !== 0 && proxies.check(address, family === 6 ? "ipv6" : "ipv4");
  };
  return {
    keyOf(address) {
      const plain = withoutMapping(address);
      return isLoopback(plain) || isProxy(plain) ? null : networkOf(plain);
    },
    forwardedKeyOf(address, forwardedFor) {
      if (forwardedFor === null || !isProxy(withoutMapping(address))) return null;
      // Our proxy added the last entry. If that is a proxy of ours too, it added the one before.
      for (const entry of forwardedFor.split(",").slice(-20).reverse()) {
        const named = withoutMapping(entry.trim().replace(/^\[([^\]]*)\](:\d+)?$/, "$1"));
        if (isIP(named) === 0) return null;
        if (!isProxy(named)) return networkOf(named);
      }
      return null;
    },
    schemeOf(address, forwardedProto) {
      if (forwardedProto === null || !isProxy(withoutMapping(address))) return "http";
      // Our proxy added the last entry.
      return forwardedProto.split(",").at(-1)?.trim().toLowerCase() === "https" ? "https" : "http";
    },
  };
}

/** One household or host usually has a whole /64 of IPv6 addresses. */
function networkOf(address: string): string {
  const bytes = parseAddress(address);
  if (bytes?.length !== 16) return address;
  const groups = [0, 2, 4, 6].map((at) =>
    ((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0)).toString(16)
  );
  return `${groups.join(":")}::/64`;
}

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
