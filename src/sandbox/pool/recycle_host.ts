import { type Deadline, startDeadline } from "../../model/time/deadline.ts";
import { FRAME } from "../../rpc/protocol.ts";
import type { HostProcess } from "../host/host_process.ts";

export interface RecycleOptions {
  /** A host that has computed longer than this takes no other program. */
  readonly cpuTotalMsMax: number;
  /** The host can take the next program. */
  readonly onFit: () => void;
  /** The host must take no other program. */
  readonly onUnfit: () => void;
}

/** How long an ended program's host may take to say that it is idle. */
const RECYCLE_MS = 500;

/**
 * Asks a host to drop what its program left; with its answer it proves that it still listens.
 *
 * @returns the time that the host has for its answer
 */
export function recycleHost(process: HostProcess, options: RecycleOptions): Deadline {
  const deadline = startDeadline(RECYCLE_MS, options.onUnfit);
  process.listen({
    // Late messages of the program that ended.
    onWorkerText() {},
    onHostMessage(message) {
      // An answer to a question of the run that is over.
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
