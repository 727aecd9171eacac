import { STAND_BACK } from "../host_settings.ts";
import type { SyscallTable } from "./syscall_numbers.ts";

/** Verdicts of a filter. @see seccomp(2) */
export const SECCOMP = {
  allow: 0x7fff0000,
  /** The call fails with EPERM. */
  refuse: 0x00050001,
  /** The call fails with ENOSYS: the C library then takes the older call. */
  absent: 0x00050026,
  kill: 0x80000000,
} as const;

/** One instruction of classic BPF: `[code, jump if true, jump if false, k]`. */
export type Instruction = readonly [number, number, number, number];

const LOAD = 0x20;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const JUMP_ANY_BIT = 0x45;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

const NUMBER_OFFSET = 0;
const ARCH_OFFSET = 4;
/** Offset of the low (high: + 4) half of an argument, little endian. */
const argument = (index: number) => 16 + index * 8;

const CLONE_VM_AND_THREAD = 0x00010100;
const PROT_EXEC = 4;
const AF_UNIX = 1;
const PR_SET_NAME = 15;
const PR_SET_VMA = 0x53564d41;
/** All threads of the group. @see setpriority(2) */
export const PRIO_PGRP = 1;
const X32_FIRST = 0x40000000;

export interface SeccompOptions {
  readonly table: SyscallTable;
  readonly pid: number;
  /** False (interpreter only): memory must not become executable. */
  readonly executableMemory: boolean;
}

/**
 * The allow list of a sandbox host: the calls that V8, the allocator and the message loop need, and
 * none that opens, connects, starts or signals. Other calls fail with EPERM.
 */
export function seccompFilter(options: SeccompOptions): Instruction[] {
  const { table } = options;
  const blocks: Instruction[] = [
    [LOAD, 0, 0, ARCH_OFFSET],
    [JUMP_EQUAL, 1, 0, table.auditArch],
    [RETURN, 0, 0, SECCOMP.kill],
    [LOAD, 0, 0, NUMBER_OFFSET],
    [JUMP_GREATER_EQUAL, 0, 1, X32_FIRST],
    [RETURN, 0, 0, SECCOMP.refuse],
    ...forCall(table.clone3, [[RETURN, 0, 0, SECCOMP.absent]]),
    ...forCall(table.clone, maskEquals(0, CLONE_VM_AND_THREAD)),
    ...forCall(table.tgkill, equals(0, [options.pid])),
    ...forCall(table.prctl, equals(0, [PR_SET_NAME, PR_SET_VMA])),
    ...forCall(table.socketpair, equals(0, [AF_UNIX])),
    // The runtime wakes itself through a pair of sockets; no other socket exists or can be made.
    ...forCall(table.sendto, isNull(4)),
    ...forCall(table.prlimit64, isNull(2)),
    // The whole host may lower its priority to exactly `STAND_BACK`, and never raise it again.
    ...forCall(table.setpriority, allEqual([PRIO_PGRP, 0, STAND_BACK])),
  ];
  const memory: Instruction[] = options.executableMemory
    ? [[RETURN, 0, 0, SECCOMP.allow]]
    : hasNoBit(2, PROT_EXEC);
  for (const number of [table.mmap, table.mprotect, table.pkeyMprotect]) {
    blocks.push(...forCall(number, memory));
  }
  for (const number of table.plain) {
    blocks.push(...forCall(number, [[RETURN, 0, 0, SECCOMP.allow]]));
  }
  blocks.push([RETURN, 0, 0, SECCOMP.refuse]);
  return blocks;
}

/** The instructions as the kernel reads them. @see linux/filter.h, `struct sock_filter` */
export function encodeFilter(instructions: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, jumpTrue, jumpFalse, k], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jumpTrue);
    view.setUint8(index * 8 + 3, jumpFalse);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}

/** Runs `verdict` (which returns) if the call's number is the given one. */
function forCall(number: number, verdict: readonly Instruction[]): Instruction[] {
  return [[JUMP_EQUAL, 0, verdict.length, number], ...verdict];
}

function equals(index: number, values: readonly number[]): Instruction[] {
  return [
    [LOAD, 0, 0, argument(index)],
    ...values.map((value, at): Instruction => [JUMP_EQUAL, values.length - at, 0, value]),
    [RETURN, 0, 0, SECCOMP.refuse],
    [RETURN, 0, 0, SECCOMP.allow],
  ];
}

/** Requires each of the first arguments to equal the given value. */
function allEqual(values: readonly number[]): Instruction[] {
  return [
    ...values.flatMap((value, index): Instruction[] => [
      [LOAD, 0, 0, argument(index)],
      [JUMP_EQUAL, 1, 0, value],
      [RETURN, 0, 0, SECCOMP.refuse],
    ]),
    [RETURN, 0, 0, SECCOMP.allow],
  ];
}

function maskEquals(index: number, mask: number): Instruction[] {
  return [
    [LOAD, 0, 0, argument(index)],
    [AND, 0, 0, mask],
    [JUMP_EQUAL, 1, 0, mask],
    [RETURN, 0, 0, SECCOMP.refuse],
    [RETURN, 0, 0, SECCOMP.allow],
  ];
}

function hasNoBit(index: number, bit: number): Instruction[] {
  return [
    [LOAD, 0, 0, argument(index)],
    [JUMP_ANY_BIT, 1, 0, bit],
    [RETURN, 0, 0, SECCOMP.allow],
    [RETURN, 0, 0, SECCOMP.refuse],
  ];
}

function isNull(index: number): Instruction[] {
  return [
    [LOAD, 0, 0, argument(index)],
    [JUMP_EQUAL, 0, 2, 0],
    [LOAD, 0, 0, argument(index) + 4],
    [JUMP_EQUAL, 1, 0, 0],
    [RETURN, 0, 0, SECCOMP.refuse],
    [RETURN, 0, 0, SECCOMP.allow],
  ];
}
