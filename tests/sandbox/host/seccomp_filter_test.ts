import assert from "node:assert/strict";
import {
  encodeFilter,
  type Instruction,
  SECCOMP,
  seccompFilter,
} from "../../../src/sandbox/host/kernel/seccomp_filter.ts";
import { syscallTable } from "../../../src/sandbox/host/kernel/syscall_numbers.ts";

const X86 = syscallTable("x86_64")!;
const ARM = syscallTable("aarch64")!;
const PID = 4_242;

/** Runs a filter as the kernel would. */
function verdict(
  filter: readonly Instruction[],
  call: { number: number; arch?: number; args?: readonly bigint[] },
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.arch ?? X86.auditArch, true);
  (call.args ?? []).forEach((value, index) => data.setBigUint64(16 + index * 8, value, true));
  let accumulator = 0;
  for (let at = 0; at < filter.length; at++) {
    const [code, jumpTrue, jumpFalse, k] = filter[at]!;
    if (code === 0x20) accumulator = data.getUint32(k, true);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += accumulator === k ? jumpTrue : jumpFalse;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jumpTrue : jumpFalse;
    else if (code === 0x35) at += accumulator >= k ? jumpTrue : jumpFalse;
    else if (code === 0x06) return k;
    else throw new Error(`Unknown instruction ${code}`);
  }
  throw new Error("The filter does not end");
}

const filterOf = (executableMemory: boolean) =>
  seccompFilter({ table: X86, pid: PID, executableMemory });

Deno.test("seccompFilter() allows exactly the listed calls", () => {
  const filter = filterOf(false);
  const allowed = new Set<number>();
  for (let number = 0; number < 600; number++) {
    if (verdict(filter, { number }) === SECCOMP.allow) allowed.add(number);
  }
  const withArguments = [X86.mmap, X86.mprotect, X86.pkeyMprotect, X86.prlimit64, X86.sendto];
  assert.deepEqual(allowed, new Set([...X86.plain, ...withArguments]));
});

Deno.test("seccompFilter() refuses what opens, connects, starts, traces or signals", () => {
  const filter = filterOf(true);
  // open openat creat execve fork vfork kill tkill ptrace socket connect bind unlink mount bpf io_uring
  // memfd_create execveat process_vm_readv openat2 pidfd_getfd userfaultfd perf_event_open newfstatat
  const hostile = [2, 257, 85, 59, 57, 58, 62, 200, 101, 41, 42, 49, 87, 165, 321, 425, 319];
  for (const number of [...hostile, 322, 310, 437, 438, 323, 298, 262, 444, 317]) {
    assert.equal(verdict(filter, { number }), SECCOMP.refuse, `call ${number}`);
  }
});

Deno.test("seccompFilter() kills on another calling convention and refuses x32", () => {
  const filter = filterOf(true);
  assert.equal(verdict(filter, { number: 0, arch: 0x40000003 }), SECCOMP.kill);
  assert.equal(verdict(filter, { number: 0x40000000 }), SECCOMP.refuse);
});

Deno.test("seccompFilter() lets threads start but not processes", () => {
  const filter = filterOf(true);
  const clone = (flags: bigint) => verdict(filter, { number: X86.clone, args: [flags] });
  assert.equal(clone(0x3d0f00n), SECCOMP.allow);
  assert.equal(clone(0x100n), SECCOMP.refuse);
  assert.equal(clone(0x10000n), SECCOMP.refuse);
  assert.equal(clone(17n), SECCOMP.refuse);
  assert.equal(verdict(filter, { number: X86.clone3 }), SECCOMP.absent);
});

Deno.test("seccompFilter() looks at arguments", () => {
  const strict = filterOf(false);
  const lax = filterOf(true);
  const map = (protection: bigint) => ({ number: X86.mmap, args: [0n, 0n, protection] });
  assert.equal(verdict(strict, map(3n)), SECCOMP.allow);
  assert.equal(verdict(strict, map(7n)), SECCOMP.refuse);
  assert.equal(verdict(lax, map(7n)), SECCOMP.allow);
  const signal = (pid: bigint) => verdict(lax, { number: X86.tgkill, args: [pid] });
  assert.equal(signal(BigInt(PID)), SECCOMP.allow);
  assert.equal(signal(1n), SECCOMP.refuse);
  const limit = (pointer: bigint) =>
    verdict(lax, { number: X86.prlimit64, args: [0n, 0n, pointer] });
  assert.equal(limit(0n), SECCOMP.allow);
  assert.equal(limit(1n), SECCOMP.refuse);
  assert.equal(limit(0x100000000n), SECCOMP.refuse);
  const pair = (family: bigint) => verdict(lax, { number: X86.socketpair, args: [family] });
  assert.equal(pair(1n), SECCOMP.allow);
  assert.equal(pair(2n), SECCOMP.refuse);
});

Deno.test("seccompFilter() has a table for aarch64 of the same shape", () => {
  const filter = seccompFilter({ table: ARM, pid: PID, executableMemory: false });
  const arch = ARM.auditArch;
  assert.equal(verdict(filter, { number: 63, arch }), SECCOMP.allow);
  assert.equal(verdict(filter, { number: 221, arch }), SECCOMP.refuse);
  assert.equal(verdict(filter, { number: 56, arch }), SECCOMP.refuse);
  assert.equal(verdict(filter, { number: 63, arch: X86.auditArch }), SECCOMP.kill);
});

Deno.test("encodeFilter() writes eight bytes an instruction", () => {
  assert.deepEqual([...encodeFilter([[0x15, 1, 2, 0xc000003e]])], [
    0x15,
    0,
    1,
    2,
    0x3e,
    0,
    0,
    0xc0,
  ]);
});

Deno.test("syscallTable() has none for an unknown architecture", () => {
  assert.equal(syscallTable("riscv64"), null);
});

Deno.test("seccompFilter() lets the host stand back and nothing else with its priority", () => {
  for (const [table, arch] of [[X86, X86.auditArch], [ARM, ARM.auditArch]] as const) {
    const filter = seccompFilter({ table, pid: PID, executableMemory: false });
    const ask = (...args: bigint[]) => verdict(filter, { number: table.setpriority, arch, args });
    assert.equal(ask(1n, 0n, 10n), SECCOMP.allow);
    const others: bigint[][] = [[0n, 0n, 10n], [2n, 0n, 10n], [1n, 1n, 10n], [1n, 0n, 0n]];
    for (const args of [...others, [1n, 0n, 19n], [1n, 0n, 0xffff_ffecn]]) {
      assert.equal(ask(...args), SECCOMP.refuse, args.join());
    }
  }
});
