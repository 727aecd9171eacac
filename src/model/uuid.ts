/**
 * Makes ids that sort by time: UUID version 7, monotonic within one process.
 *
 * @see RFC 9562, section 5.7
 */
export function createUuidV7(now: () => number = Date.now): () => string {
  let last = 0n;
  return () => {
    let ticks = BigInt(now()) << 12n;
    if (ticks <= last) ticks = last + 1n;
    last = ticks;
    const random = crypto.getRandomValues(new Uint8Array(8));
    random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
    const ms = (ticks >> 12n).toString(16).padStart(12, "0");
    const sequence = (ticks & 0xfffn).toString(16).padStart(3, "0");
    const tail = random.toHex();
    return `${ms.slice(0, 8)}-${ms.slice(8)}-7${sequence}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  };
}

/** The process's own generator. */
export const uuidV7: () => string = createUuidV7();
