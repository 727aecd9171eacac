import { addressOf, cString, type Libc } from "./libc.ts";
import { encodeFilter, seccompFilter, type SeccompOptions } from "./seccomp_filter.ts";

const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;

/**
 * Applies the allow list of system calls to all threads, for good.
 *
 * @returns 0, or the kernel's other answer
 * @throws {Error} if the filter is on and refuses nothing
 */
export function installFilter(libc: Libc, options: SeccompOptions): number {
  const program = encodeFilter(seccompFilter(options));
  const header = new BigUint64Array(2);
  new DataView(header.buffer).setUint16(0, program.length / 8, true);
  header[1] = addressOf(program);
  const result = Number(libc.syscall(
    BigInt(options.table.seccomp),
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC,
    addressOf(header),
    0n,
    0n,
    0n,
  ));
  if (result !== 0) return result;
  // A filter that refuses nothing would be worse than none, because the report would call it
  // active.
  if (libc.socket(1, 1, 0) >= 0 || libc.open(cString("/"), 0) >= 0) {
    throw new Error("The system call filter does not work");
  }
  return 0;
}
