import type { KernelReport } from "../../rpc/protocol.ts";
import type { HostSettings } from "../host_settings.ts";

/** Puts the kernel's limits on this process. */
export function hardenProcess(_settings: HostSettings): KernelReport {
  return { seccomp: false, landlock: 0, rlimits: false, missing: ["not built"] };
}
