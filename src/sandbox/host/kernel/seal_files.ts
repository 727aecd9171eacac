import { cString, type Libc } from "./libc.ts";

const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;
const PROT_READ_WRITE = 3;

/** Closes the files that the runtime opened while it started. */
export interface FileSeal {
  /** @returns how many descriptors and mappings were replaced */
  seal(): { readonly descriptors: number; readonly mappings: number };
}

/**
 * Prepares the seal while files can still be opened.
 *
 * The runtime keeps its caches open (databases in its cache folder). A hostile program that takes a
 * host over could write to them, and hosts of other principals read them. So every file descriptor
 * is replaced by one of /dev/null, and every shared mapping of a file by private memory.
 *
 * @param keep a descriptor that stays open
 */
export function createFileSeal(libc: Libc, descriptorsMax: number, keep: number): FileSeal {
  const nothing = libc.open(cString("/dev/null"), O_RDWR | O_CLOEXEC);
  const maps = libc.open(cString("/proc/self/maps"), O_CLOEXEC);

  function pathOf(descriptor: number): string {
    const target = new Uint8Array(4_096);
    const path = cString(`/proc/self/fd/${descriptor}`);
    const length = Number(libc.readlink(path, target, BigInt(target.length)));
    return length <= 0 ? "" : new TextDecoder().decode(target.subarray(0, length));
  }

  function sealDescriptors(): number {
    const own = new Set([pathOf(0), pathOf(1), pathOf(2), "/dev/null"]);
    let count = 0;
    for (let descriptor = 3; descriptor < descriptorsMax; descriptor++) {
      if (descriptor === nothing || descriptor === keep) continue;
      const path = pathOf(descriptor);
      // Files, and pipes that the service inherited and passed on. The pipes to the service and the
      // runtime's own event descriptors stay.
      const foreign = path.startsWith("/") || path.startsWith("pipe:");
      if (!foreign || own.has(path)) continue;
      if (libc.dup3(nothing, descriptor, O_CLOEXEC) === descriptor) count++;
    }
    return count;
  }

  function sealMappings(text: string): number {
    let count = 0;
    for (const line of text.split("\n")) {
      const found = /^([0-9a-f]+)-([0-9a-f]+) ...s \S+ \S+ \S+ +\/(?!dev\/zero)/.exec(line);
      if (found === null) continue;
      const start = BigInt(`0x${found[1]}`);
      const length = BigInt(`0x${found[2]}`) - start;
      const flags = MAP_PRIVATE_FIXED_ANONYMOUS;
      if (libc.mmap(start, length, PROT_READ_WRITE, flags, -1, 0n) === start) count++;
    }
    return count;
  }

  function readMaps(): string {
    const chunk = new Uint8Array(65_536);
    const decoder = new TextDecoder();
    let text = "";
    while (true) {
      const length = Number(libc.pread(maps, chunk, BigInt(chunk.length), BigInt(text.length)));
      if (length <= 0) return text;
      text += decoder.decode(chunk.subarray(0, length));
    }
  }

  return {
    seal() {
      const mappings = maps < 0 ? 0 : sealMappings(readMaps());
      return { mappings, descriptors: nothing < 0 ? 0 : sealDescriptors() };
    },
  };
}
