import { type Deadline, startDeadline } from "../../model/time/deadline.ts";
import { FRAME } from "../../rpc/protocol.ts";
import type { HostProcess } from "../host/host_process.ts";

export interface RecycleOptions {
  /** A host with more CPU time than this takes no other program. */
  readonly cpuTotalMsMax: number;
  /** The host can take the next program. */
  readonly onFit: () => void;
  /** The host must take no other program. */
  readonly onUnfit: () => void;
}

/** How long a host may take to report that it is idle after a program. */
const RECYCLE_MS = 500;

/**
 * Asks a host to drop the state of its last program. The answer proves that the host still listens.
 *
 * @returns the time that the host has for its answer
 */
export function recycleHost(process: HostProcess, options: RecycleOptions): Deadline {
  const deadline = startDeadline(RECYCLE_MS, options.onUnfit);
  process.listen({
    // Late messages of the ended program are ignored.
    onWorkerText() {},
    onHostMessage(message) {
      // A late answer to a question of the ended run.
      if (message.kind === "usage") return;
      if (message.kind !== "idle") return options.onUnfit();
      deadline.cancel();
      process.listen(null);
      const isUsedUp = message.workers === 0 || message.cpuTotalMs > options.cpuTotalMsMax;
      if (isUsedUp) options.onUnfit();
      else options.onFit();
    },
    onViolation: options.onUnfit,
    onDeath: options.onUnfit,
  });
  void process.send(FRAME.end, "");
  return deadline;
}
