import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
} from "cockatiel";
import { GateError } from "../model/errors.ts";
import { createLanes } from "./lanes.ts";
import { type CallName, cancelled, toolName, unreachable } from "./upstream_errors.ts";

export interface CallGuard {
  /**
   * Runs a call when a lane is free.
   *
   * @throws {GateError} `ERR_BUSY` if the queue is full, `ERR_UPSTREAM_UNREACHABLE` at once during
   * the pause after five failures, `ERR_CANCELLED` when the signal aborts first.
   */
  run<T>(call: CallName, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/** Waiting calls allowed for each call that may run. */
const QUEUE_FACTOR = 8;
const FAILURES_MAX = 5;
const OPEN_MS_MIN = 1_000;
const OPEN_MS_MAX = 30_000;

/** Bounds the calls of one upstream, and pauses calls after five failures in a row. */
export function createCallGuard(options: { readonly concurrentCallsMax: number }): CallGuard {
  const { concurrentCallsMax } = options;
  const queueMax = concurrentCallsMax * QUEUE_FACTOR;
  const lanes = createLanes(concurrentCallsMax, queueMax);
  const breaker = circuitBreaker(handleWhen(isUpstreamFailure), {
    breaker: new ConsecutiveBreaker(FAILURES_MAX),
    halfOpenAfter: new ExponentialBackoff({ initialDelay: OPEN_MS_MIN, maxDelay: OPEN_MS_MAX }),
  });
  return {
    async run(call, signal, work) {
      const leave = await orCancelled(call, signal, () => lanes.enter(signal));
      if (leave === null) {
        throw new GateError(
          "ERR_BUSY",
          `Cannot call "${toolName(call)}": ${concurrentCallsMax} calls run and ${queueMax} wait`,
          { hint: "Make fewer calls at the same time", tool: toolName(call), retryAfterMs: 1_000 },
        );
      }
      try {
        return await untilAborted(call, signal, breaker.execute(work));
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
        throw unreachable(call, "failed repeatedly and is left alone for a moment", {
          cause: error,
          retryAfterMs: OPEN_MS_MIN,
        });
      } finally {
        leave();
      }
    },
  };
}

/** Failures of the upstream itself. A refused credential or an odd answer shows a live upstream. */
function isUpstreamFailure(error: unknown): boolean {
  return error instanceof GateError &&
    ["ERR_UPSTREAM_UNREACHABLE", "ERR_UPSTREAM_TIMEOUT", "ERR_OUTCOME_UNKNOWN"].includes(
      error.code,
    );
}

async function orCancelled<T>(
  call: CallName,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? cancelled(call) : error;
  }
}

/** Stops waiting when the caller aborts, even if the work still runs. */
async function untilAborted<T>(call: CallName, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(cancelled(call));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    // The work may fail after the abort; its error has no reader.
    work.catch(() => {});
  }
}
