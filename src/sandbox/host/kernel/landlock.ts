import { addressOf, type Libc } from "./libc.ts";
import type { SyscallTable } from "./syscall_numbers.ts";

/**
 * Takes every file and network right from this thread and from the threads it starts later: a ruleset
 * that handles all rights and grants none.
 *
 * @returns the ABI version in force; 0 if the kernel has no Landlock.
 * @throws {Error} if the kernel has it and refuses.
 * @see landlock(7)
 */
export function restrictFiles(libc: Libc, table: SyscallTable): number {
  const abi = Number(libc.syscall(BigInt(table.landlockCreateRuleset), 0n, 0n, 1n, 0n, 0n, 0n));
  if (abi <= 0) return 0;
  const ruleset = new BigUint64Array(rightsOf(abi));
  const descriptor = libc.syscall(
    BigInt(table.landlockCreateRuleset),
    addressOf(ruleset),
    BigInt(ruleset.byteLength),
    0n,
    0n,
    0n,
    0n,
  );
  if (descriptor < 0n) throw new Error("Cannot create the Landlock ruleset");
  const result = libc.syscall(
    BigInt(table.landlockRestrictSelf),
    BigInt(descriptor),
    0n,
    0n,
    0n,
    0n,
    0n,
  );
  libc.close(Number(descriptor));
  if (Number(result) !== 0) throw new Error("Cannot enforce the Landlock ruleset");
  return abi;
}

/** Every right that the ABI knows: file system, network, scopes. */
function rightsOf(abi: number): bigint[] {
  const files = abi >= 5 ? 0xffffn : abi >= 3 ? 0x7fffn : abi === 2 ? 0x3fffn : 0x1fffn;
  if (abi < 4) return [files];
  return abi < 6 ? [files, 3n] : [files, 3n, 3n];
}
