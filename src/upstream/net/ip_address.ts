import { parseAddress } from "../../model/parse_address.ts";

/** Where an address leads. Upstreams may call `public` addresses without permission. */
export type AddressKind =
  | "public"
  | "loopback"
  | "private"
  | "link-local"
  | "metadata"
  | "reserved";

type Range = readonly [network: string, bits: number, kind: AddressKind];

/** First match wins. @see RFC 6890 and the IANA special-purpose address registries */
const V4_RANGES: readonly Range[] = [
  // Services that give out the machine's credentials: AWS, Azure, GCP and others; ECS; Alibaba.
  ["169.254.169.254", 32, "metadata"],
  ["169.254.170.2", 32, "metadata"],
  ["169.254.170.23", 32, "metadata"],
  ["100.100.100.200", 32, "metadata"],
  ["168.63.129.16", 32, "metadata"],
  ["0.0.0.0", 8, "reserved"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "private"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "private"],
  ["198.51.100.0", 24, "reserved"],
  ["203.0.113.0", 24, "reserved"],
  ["224.0.0.0", 3, "reserved"],
];
const V6_RANGES: readonly Range[] = [
  ["fd00:ec2::254", 128, "metadata"],
  ["fd20:ce::254", 128, "metadata"],
  ["::1", 128, "loopback"],
  ["::", 128, "reserved"],
  ["64:ff9b:1::", 48, "private"],
  ["100::", 64, "reserved"],
  ["2001::", 32, "reserved"],
  ["2001:db8::", 32, "reserved"],
  ["3fff::", 20, "reserved"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "private"],
  ["ff00::", 8, "reserved"],
];
/** IPv6 ranges that carry an IPv4 address, and at which byte: mapped, compatible, NAT64, 6to4. */
const EMBEDDED: readonly (readonly [network: string, bits: number, offset: number])[] = [
  ["::ffff:0:0", 96, 12],
  ["::ffff:0:0:0", 96, 12],
  ["64:ff9b::", 96, 12],
  ["2002::", 16, 2],
  ["::", 96, 12],
];

/** Says where an IP address leads; null if the text is not one. Accepts `[…]` and zones. */
export function classifyAddress(text: string): AddressKind | null {
  const bytes = parseAddress(text);
  return bytes === null ? null : classifyBytes(bytes);
}

function classifyBytes(bytes: Uint8Array): AddressKind {
  const ranges = bytes.length === 4 ? V4_RANGES : V6_RANGES;
  for (const [network, bits, kind] of ranges) {
    if (isInRange(bytes, network, bits)) return kind;
  }
  if (bytes.length === 16) {
    for (const [network, bits, offset] of EMBEDDED) {
      if (isInRange(bytes, network, bits)) return classifyBytes(bytes.slice(offset, offset + 4));
    }
  }
  return "public";
}

function isInRange(bytes: Uint8Array, network: string, bits: number): boolean {
  const base = parseAddress(network);
  if (base === null || base.length !== bytes.length) return false;
  for (let bit = 0; bit < bits; bit += 8) {
    const index = bit / 8;
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    if (((bytes[index] ?? 0) & mask) !== ((base[index] ?? 0) & mask)) return false;
  }
  return true;
}
