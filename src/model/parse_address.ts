import { isIP } from "node:net";

/**
 * The bytes of an IP address: 4 or 16; null if the text is not one. Accepts `[…]` and zones.
 *
 * Reads only the usual forms. Forms that some other parsers accept (`0x7f.1`, `127.1`, octal
 * numbers) are names here.
 */
export function parseAddress(text: string): Uint8Array | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%[^%]*$/, "");
  const family = isIP(bare);
  if (family === 0) return null;
  return family === 4 ? Uint8Array.from(bare.split("."), Number) : bytesOfV6(bare);
}

/** The URL parser writes every form of an address in groups of hexadecimal digits. */
function bytesOfV6(address: string): Uint8Array {
  const [front = [], back = []] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return Uint8Array.from(
    [...front, ...zeros, ...back].map((group) => parseInt(group, 16))
      .flatMap((group) => [group >> 8, group & 0xff]),
  );
}
