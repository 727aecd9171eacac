/**
 * Numbers of the system calls that a sandbox host needs once it is ready, and of the calls with
 * which the host locks itself in. `null`: the architecture does not have the call.
 *
 * @see Linux, `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`
 */
export interface SyscallTable {
  /** `AUDIT_ARCH_*`: the kernel's number of the calling convention. */
  readonly auditArch: number;
  /** Calls allowed with any arguments. */
  readonly plain: readonly number[];
  readonly clone: number;
  readonly clone3: number;
  readonly mmap: number;
  readonly mprotect: number;
  readonly pkeyMprotect: number;
  readonly prctl: number;
  readonly prlimit64: number;
  readonly sendto: number;
  readonly socketpair: number;
  readonly tgkill: number;
  readonly setpriority: number;
  readonly seccomp: number;
  readonly landlockCreateRuleset: number;
  readonly landlockRestrictSelf: number;
}

/**
 * Name → [x86-64, aarch64]. Nothing here opens, creates, connects, signals others or starts a
 * process.
 */
const PLAIN: { readonly [name: string]: readonly [number, number | null] } = {
  futex: [202, 98],
  madvise: [28, 233],
  getpid: [39, 172],
  munmap: [11, 215],
  write: [1, 64],
  read: [0, 63],
  epoll_wait: [232, null],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  epoll_ctl: [233, 21],
  getrusage: [98, 165],
  clock_gettime: [228, 113],
  clock_nanosleep: [230, 115],
  nanosleep: [35, 101],
  sched_yield: [24, 124],
  close: [3, 57],
  fcntl: [72, 25],
  pread64: [17, 67],
  readv: [19, 65],
  writev: [20, 66],
  poll: [7, null],
  ppoll: [271, 73],
  recvfrom: [45, 207],
  eventfd2: [290, 19],
  fstat: [5, 80],
  lseek: [8, 62],
  brk: [12, 214],
  mremap: [25, 216],
  mincore: [27, 232],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  sigaltstack: [131, 132],
  gettid: [186, 178],
  gettimeofday: [96, 169],
  getrlimit: [97, 163],
  clock_getres: [229, 114],
  getcpu: [309, 168],
  getrandom: [318, 278],
  membarrier: [324, 283],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  restart_syscall: [219, 128],
  rseq: [334, 293],
  sched_getaffinity: [204, 123],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  set_robust_list: [273, 99],
  set_tid_address: [218, 96],
  exit: [60, 93],
  exit_group: [231, 94],
};

const X86_64: SyscallTable = {
  auditArch: 0xc000003e,
  plain: column(0),
  clone: 56,
  clone3: 435,
  mmap: 9,
  mprotect: 10,
  pkeyMprotect: 329,
  prctl: 157,
  prlimit64: 302,
  sendto: 44,
  socketpair: 53,
  tgkill: 234,
  setpriority: 141,
  seccomp: 317,
  landlockCreateRuleset: 444,
  landlockRestrictSelf: 446,
};

const AARCH64: SyscallTable = {
  auditArch: 0xc00000b7,
  plain: column(1),
  clone: 220,
  clone3: 435,
  mmap: 222,
  mprotect: 226,
  pkeyMprotect: 288,
  prctl: 167,
  prlimit64: 261,
  sendto: 206,
  socketpair: 199,
  tgkill: 131,
  setpriority: 140,
  seccomp: 277,
  landlockCreateRuleset: 444,
  landlockRestrictSelf: 446,
};

/** @returns null if there is no table for the architecture (`Deno.build.arch`). */
export function syscallTable(arch: string): SyscallTable | null {
  if (arch === "x86_64") return X86_64;
  return arch === "aarch64" ? AARCH64 : null;
}

function column(index: 0 | 1): number[] {
  return Object.values(PLAIN).map((numbers) => numbers[index]).filter((number) => number !== null);
}
