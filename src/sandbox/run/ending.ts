import type { ErrorCode } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { limitError } from "./outcome.ts";
import type { ProgramEnd } from "./program_end.ts";

/** The only end of an execution: by the program, a limit, its client, or a broken protocol. */
export interface Ending {
  /** True once the execution has ended: later messages are not part of the outcome. */
  readonly isOver: boolean;
  /** @param end null if the host broke the protocol */
  finish(end: ProgramEnd | null): void;
  stop(status: "error" | "timeout" | "cancelled", code: ErrorCode): void;
  /** Stops if an intake answered with an error code. @param code null: the execution goes on */
  stopFor(code: ErrorCode | null): void;
  violate(): void;
}

export interface EndingOptions {
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Called once. */
  readonly onEnd: (end: ProgramEnd) => void;
}

/** Starts the clock of `wallTimeMs`. */
export function createEnding({ limits, signal, onEnd }: EndingOptions): Ending {
  let isOver = false;
  const wallTimer = setTimeout(() => stop("timeout", "ERR_SANDBOX_WALL_TIME"), limits.wallTimeMs);
  const onAbort = () => stop("cancelled", "ERR_CANCELLED");
  signal.addEventListener("abort", onAbort, { once: true });

  function finish(end: ProgramEnd | null): void {
    if (isOver) return;
    if (end === null) return violate();
    isOver = true;
    clearTimeout(wallTimer);
    signal.removeEventListener("abort", onAbort);
    onEnd(end);
  }
  function stop(status: "error" | "timeout" | "cancelled", code: ErrorCode): void {
    finish({ status, error: limitError(code, limits), clean: false });
  }
  function violate(): void {
    stop("error", "ERR_SANDBOX_PROTOCOL");
  }

  return {
    get isOver() {
      return isOver;
    },
    finish,
    stop,
    stopFor(code) {
      if (code !== null) stop("error", code);
    },
    violate,
  };
}
