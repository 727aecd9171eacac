import { hash } from "node:crypto";
import type { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { SandboxOutcome } from "../run/outcome.ts";
import type { ProgramRun } from "../run/run_program.ts";
import type { ProgramOrigin, Standing } from "./conduct.ts";
import type { QueueOwner } from "./fair_queue.ts";
import { refusedOutcome } from "./pool_refusals.ts";
import type { ProgramNames } from "./render_names.ts";

/** One program to run. */
export interface SandboxProgram {
  /** Two principals never share a host. */
  readonly principalKey: string;
  /** Session or task of the program, as the client names it; null if the client names none. */
  readonly session: string | null;
  /** TypeScript as received; fences are allowed. */
  readonly code: string;
  readonly limits: Limits;
  /**
   * For `Object.keys(tools)` and suggestions. Other names still reach `onCall`. Pass the same array
   * object again while nothing changed, because its JSON is cached.
   */
  readonly names: ProgramNames | null;
  /** Deterministic clock and randomness; null for the real ones. */
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
}

/** A program in the queue of the pool or in a host. The pool resolves or rejects it. */
export interface WaitingProgram extends QueueOwner {
  readonly origin: ProgramOrigin;
  readonly run: ProgramRun;
  /** Stops the program once it runs. */
  readonly controller: AbortController;
  readonly ended: Promise<SandboxOutcome>;
  readonly resolve: (outcome: SandboxOutcome) => void;
  readonly reject: (error: GateError) => void;
}

export interface WaitingProgramParts {
  readonly program: SandboxProgram;
  readonly limits: Limits;
  readonly origin: ProgramOrigin;
  readonly standing: Standing;
  /** `program.names` as JSON. */
  readonly names: string;
  readonly onCall: ProgramRun["onCall"];
}

export function createWaitingProgram(parts: WaitingProgramParts): WaitingProgram {
  const { program, limits, origin, standing, names, onCall } = parts;
  const { promise, resolve, reject } = Promise.withResolvers<SandboxOutcome>();
  const controller = new AbortController();
  return {
    origin,
    owner: origin.principalKey,
    // Good programs of a session must not wait behind bad ones of the same session.
    flow: JSON.stringify([origin.session, standing]),
    run: {
      code: program.code,
      limits,
      names,
      servers: program.names?.map((entry) => entry.server) ?? [],
      seed: program.seed,
      onCall,
      signal: controller.signal,
    },
    controller,
    ended: promise,
    resolve,
    reject,
  };
}

/**
 * Resolves when the program has ended. When `signal` aborts first, the program stops, or ends at
 * once if it was still in the queue.
 *
 * @param leaveQueue removes the program from the queue; false if it is not queued
 */
export async function outcomeOf(
  waiting: WaitingProgram,
  signal: AbortSignal,
  leaveQueue: () => boolean,
): Promise<SandboxOutcome> {
  const onAbort = () => {
    waiting.controller.abort();
    if (leaveQueue()) waiting.resolve(refusedOutcome("ERR_CANCELLED", waiting.run.limits));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await waiting.ended;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export function originOf({ principalKey, session, code }: SandboxProgram): ProgramOrigin {
  return { principalKey, session, codeSha256: hash("sha256", code) };
}
