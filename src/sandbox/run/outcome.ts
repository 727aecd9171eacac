import type { ErrorCode } from "../../model/errors.ts";
import type { LogLine, ProgramError } from "../../model/execution.ts";
import type { Limits } from "../../model/limits.ts";
import type { HostDeath } from "../host/host_process.ts";
import { EXIT_MEMORY } from "../host/host_settings.ts";

/** How one execution ended. `run` resolves with this for every program that was accepted. */
export interface SandboxOutcome {
  readonly status: "ok" | "error" | "timeout" | "cancelled";
  /** JSON text of the result; null if there is none. */
  readonly resultJson: string | null;
  /** A result over `resultBytesMax`, with status `error` and `ERR_SANDBOX_RESULT_SIZE`. */
  readonly oversize: { readonly bytes: number; readonly json: string } | null;
  readonly logs: readonly LogLine[];
  readonly error: ProgramError | null;
  readonly callCount: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** The error of a limit that the service or the host enforces. */
export function limitError(code: ErrorCode, limits: Limits): ProgramError {
  const [message, hint] = LIMIT_TEXTS[code]?.(limits) ??
    ["The program was stopped", "Try again; if it happens again, tell the operator."];
  return { code, name: "SandboxError", message, hint };
}

const LIMIT_TEXTS: { readonly [code: string]: (limits: Limits) => readonly [string, string] } = {
  ERR_SANDBOX_WALL_TIME: (limits) => [
    `The program ran longer than ${limits.wallTimeMs} ms`,
    "Make independent calls in parallel with Promise.all, do less at once, or ask for a longer timeoutMs.",
  ],
  ERR_SANDBOX_CPU_TIME: (limits) => [
    `The program computed for more than ${limits.cpuTimeMs} ms`,
    "Look for an endless loop or a slow regular expression; let tools filter and aggregate.",
  ],
  ERR_SANDBOX_MEMORY: (limits) => [
    `The program used more than ${limits.memoryMb} MB of memory`,
    "Work on pages or slices instead of holding everything at once.",
  ],
  ERR_SANDBOX_CALLS: (limits) => [
    `The program made more than ${limits.toolCallsMax} calls`,
    "Use tools that take or return many items at once, or split the work over several executions.",
  ],
  ERR_SANDBOX_CODE_SIZE: (limits) => [
    `The program is longer than ${limits.codeBytesMax} bytes`,
    "Fetch data through tools instead of writing it into the program.",
  ],
  ERR_SANDBOX_LOG_SIZE: (limits) => [
    `The program logged more than ${limits.logBytesMax} bytes`,
    "Log less; return what matters as the result.",
  ],
  ERR_SANDBOX_RESULT_SIZE: (limits) => [
    `The result is longer than ${limits.resultBytesMax} bytes`,
    "Filter, aggregate or slice it and return less.",
  ],
  ERR_SANDBOX_NESTING: () => [
    "The program or its data is nested too deeply",
    "Use fewer nested brackets and flatter values.",
  ],
  ERR_SANDBOX_PROTOCOL: () => [
    "The sandbox sent something that no program can send",
    "The execution was stopped and its sandbox destroyed; the operator finds the reason in the log.",
  ],
  ERR_SANDBOX_CRASH: () => [
    "The sandbox ended unexpectedly",
    "Try again; if it happens again with this program, tell the operator.",
  ],
  ERR_CANCELLED: () => ["The execution was cancelled", "Start it again if it is still wanted."],
};

/** Messages of V8, the allocators and the runtime, also for threads, when memory is used up. */
const NO_MEMORY =
  /out of memory|memory allocation of|Allocation failed|Cannot allocate|unable to create worker threads|failed to spawn thread/i;

/** Why a host died while a program ran in it. */
export function causeOfDeath(death: HostDeath): ErrorCode {
  const { code, signal, stderr } = death;
  if (signal === "SIGXCPU") return "ERR_SANDBOX_CPU_TIME";
  if (code === EXIT_MEMORY) return "ERR_SANDBOX_MEMORY";
  if (/stack overflow|overflowed its stack/i.test(stderr)) return "ERR_SANDBOX_NESTING";
  if (NO_MEMORY.test(stderr)) return "ERR_SANDBOX_MEMORY";
  // V8, ICU and the allocators end the process when they cannot get memory, sometimes without a
  // message. A SIGKILL that the service did not send came from the kernel, because the machine
  // lacks memory.
  if (signal !== null && /^SIG(TRAP|ILL|ABRT|BUS|SEGV|KILL)$/.test(signal)) {
    return "ERR_SANDBOX_MEMORY";
  }
  return "ERR_SANDBOX_CRASH";
}
