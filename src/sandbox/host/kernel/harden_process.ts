/**
 * The kernel layer: kernel restrictions, so that even native code in this process reaches nothing.
 *
 * There are two steps, because Workers cannot start once memory and system calls are limited, while
 * Landlock binds only threads that start after it:
 *
 * 1. `lockFiles`, before the first Worker: no new privileges, no core dumps, no tracing, killed
 *    with the service, no write to a file, no file or network right (Landlock).
 * 2. `lockProcess`, when everything exists: memory, CPU, descriptors, and the allow list of
 *    system calls (seccomp) on all threads.
 */
import type { KernelReport } from "../../../rpc/protocol.ts";
import { type HostSettings, STAND_BACK } from "../host_settings.ts";
import { installFilter } from "./install_filter.ts";
import { restrictFiles } from "./landlock.ts";
import { cString, type Libc, openLibc } from "./libc.ts";
import { createFileSeal } from "./seal_files.ts";
import { PRIO_PGRP } from "./seccomp_filter.ts";
import { type SyscallTable, syscallTable } from "./syscall_numbers.ts";

/** The two steps, and the functions that the host still needs afterwards. */
export interface KernelLayer {
  lockFiles(): void;
  lockProcess(): KernelReport;
  /** Resident memory of this process in bytes; null if unknown. */
  residentBytes(): number | null;
  /** Lowers the priority of this process for good. @returns false if it cannot */
  standBack(): boolean;
}

const RLIMIT = { cpu: 0, fileSize: 1, data: 2, core: 4, openFiles: 7 } as const;
const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9n;
const SIGXFSZ = 25;
const PRIO_PROCESS = 0;
const SIG_IGN = 1n;
const OPEN_FILES_MAX = 256;
const PAGE_BYTES_OF_STATM = 4_096;
const MEGABYTE = 1_048_576;

/**
 * Prepares the layer; where it is off or unsupported, the steps do nothing and the report says why.
 */
export function createKernelLayer(settings: HostSettings): KernelLayer {
  if (!settings.kernel.enabled) return absentLayer("the kernel layer (switched off)");
  if (Deno.build.os !== "linux") return absentLayer(`the kernel layer (${Deno.build.os})`);
  const table = syscallTable(Deno.build.arch);
  if (table === null) return absentLayer(`the kernel layer (${Deno.build.arch})`);
  let libc: Libc;
  try {
    libc = openLibc(Deno.build.arch);
  } catch (error) {
    return absentLayer(`the kernel layer (${error instanceof Error ? error.message : error})`);
  }
  return linuxLayer(settings, libc, table);
}

function absentLayer(reason: string): KernelLayer {
  return {
    lockFiles() {},
    lockProcess: () => ({ seccomp: false, landlock: 0, rlimits: false, missing: [reason] }),
    residentBytes: () => null,
    standBack: () => false,
  };
}

function linuxLayer(settings: HostSettings, libc: Libc, table: SyscallTable): KernelLayer {
  const missing: string[] = [];
  const { seccomp, landlock, rlimits } = settings.kernel;
  let landlockAbi = 0;
  let ownGroup = false;
  // Opened before files are locked; the descriptor stays open for memory readings.
  const statm = libc.open(cString("/proc/self/statm"), 0);
  const files = createFileSeal(libc, OPEN_FILES_MAX, statm);
  const statmText = new Uint8Array(128);

  /** A field of /proc/self/statm in bytes; null if it cannot be read. @see proc_pid_statm(5) */
  function memoryField(index: number): number | null {
    if (statm < 0) return null;
    const length = Number(libc.pread(statm, statmText, 128n, 0n));
    if (length <= 0) return null;
    const pages = new TextDecoder().decode(statmText.subarray(0, length)).split(" ")[index];
    return Number(pages) * PAGE_BYTES_OF_STATM;
  }

  function limit(resource: number, soft: number, hard = soft): boolean {
    return libc.setrlimit(resource, new BigUint64Array([BigInt(soft), BigInt(hard)])) === 0;
  }

  function lockFiles(): void {
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n);
    limit(RLIMIT.core, 0);
    // With its own process group, a change of the group's priority affects only this host's
    // threads.
    ownGroup = libc.setpgid(0, 0) === 0;
    if (!ownGroup) missing.push("a process group of its own");
    // Threads inherit the niceness, so it is set before the Workers start.
    if (settings.niceness > 0) libc.setpriority(PRIO_PROCESS, 0, settings.niceness);
    if (rlimits) {
      // From here on writes to files fail. Pipes are not files and still work; the runtime's
      // caches, which other hosts read, must not grow with every Worker.
      libc.signal(SIGXFSZ, SIG_IGN);
      limit(RLIMIT.fileSize, 0);
    }
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) missing.push("no_new_privs");
    if (!landlock) return void missing.push("Landlock (switched off)");
    try {
      landlockAbi = restrictFiles(libc, table);
      if (landlockAbi === 0) missing.push("Landlock (not in this kernel)");
    } catch (error) {
      missing.push(`Landlock (${error instanceof Error ? error.message : error})`);
    }
  }

  function lockProcess(): KernelReport {
    files.seal();
    // From here on no unprivileged process, not even one of this user, may inspect this one.
    libc.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
    const limited = rlimits && limitResources();
    if (!rlimits) missing.push("resource limits (switched off)");
    const filtered = seccomp && filterCalls();
    if (!seccomp) missing.push("seccomp (switched off)");
    return { seccomp: filtered, landlock: landlockAbi, rlimits: limited, missing };
  }

  function limitResources(): boolean {
    const dataNow = memoryField(5);
    if (dataNow === null) missing.push("the memory limit (/proc is not readable)");
    const done = [
      dataNow !== null && limit(RLIMIT.data, dataNow + settings.memoryBudgetMb * MEGABYTE),
      // SIGXCPU comes first and shows the cause; the kernel sends SIGKILL a second later.
      limit(RLIMIT.cpu, settings.cpuSeconds, settings.cpuSeconds + 1),
      limit(RLIMIT.openFiles, OPEN_FILES_MAX),
    ];
    return done.every((ok) => ok);
  }

  function filterCalls(): boolean {
    const result = installFilter(libc, {
      table,
      pid: Deno.pid,
      executableMemory: !settings.jitless,
    });
    if (result !== 0) missing.push(`seccomp (${result})`);
    return result === 0;
  }

  return {
    lockFiles,
    lockProcess,
    residentBytes: () => memoryField(1),
    standBack: () => ownGroup && libc.setpriority(PRIO_PGRP, 0, STAND_BACK) === 0,
  };
}
