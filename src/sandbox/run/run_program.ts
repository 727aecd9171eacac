import type { Limits } from "../../model/limits.ts";
import { FRAME, KIND, type Message, readMessages } from "../../rpc/protocol.ts";
import type { HostProcess } from "../host/host_process.ts";
import { createCallLane } from "./call_lane.ts";
import { createCpuWatch } from "./cpu_watch.ts";
import { createEnding } from "./ending.ts";
import { createLogIntake } from "./log_intake.ts";
import { causeOfDeath, type SandboxOutcome } from "./outcome.ts";
import { type ProgramEnd, readFailure, readResult, readSyntax } from "./program_end.ts";
import { programMessage } from "./program_message.ts";
import type { CallReply, SandboxCall } from "./sandbox_call.ts";

/** The program and settings that `runProgram` needs. */
export interface ProgramRun {
  readonly code: string;
  readonly limits: Limits;
  /** JSON, see `ProgramMessage.names`. */
  readonly names: string;
  /** Server names, for suggestions. */
  readonly servers: readonly string[];
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
  readonly onCall: (call: SandboxCall) => Promise<CallReply>;
  readonly signal: AbortSignal;
}

/** The outcome, and whether the host may be used again. */
export interface FinishedRun {
  readonly outcome: SandboxOutcome;
  /** True if the program hit no limit, left nothing behind and broke no protocol. */
  readonly clean: boolean;
}

const MESSAGES_PER_FRAME_MAX = 10_000;
/** Kinds of messages that a program sends, and how many fields each has. */
const FIELD_COUNTS: ReadonlyMap<string, number> = new Map([
  [KIND.call, 3],
  [KIND.log, 2],
  [KIND.note, 1],
  [KIND.done, 2],
  [KIND.failed, 2],
]);

/**
 * Runs one program in a ready host and enforces every limit that the service can see.
 *
 * Messages of the host are untrusted: their shapes, order, counts and sizes are checked, and an
 * invalid message ends the execution with `ERR_SANDBOX_PROTOCOL`. Never rejects.
 */
export function runProgram(host: HostProcess, run: ProgramRun): Promise<FinishedRun> {
  const { limits } = run;
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<FinishedRun>();
  const logs = createLogIntake(limits.logBytesMax);
  const calls = createCallLane({
    limits,
    onCall: run.onCall,
    send: (messages) => host.send(FRAME.replies, messages),
  });
  const ending = createEnding({ limits, signal: run.signal, onEnd });
  const cpu = createCpuWatch({
    cpuTimeMs: limits.cpuTimeMs,
    ask: () => void host.send(FRAME.ask, ""),
  });

  host.listen({
    onWorkerText(text, stampMs) {
      cpu.note(stampMs);
      const messages = readMessages(text, MESSAGES_PER_FRAME_MAX);
      if (messages === null) return ending.violate();
      for (const message of messages) {
        if (ending.isOver) return;
        takeMessage(message);
      }
    },
    onHostMessage(message, stampMs) {
      cpu.note(stampMs);
      if (message.kind === "syntax") ending.finish(readSyntax(message, run.code));
      else if (message.kind !== "usage") ending.violate();
      else if (!cpu.answered()) ending.stop("timeout", "ERR_SANDBOX_CPU_TIME");
    },
    onViolation: ending.violate,
    onDeath(death) {
      const code = causeOfDeath(death);
      ending.stop(code === "ERR_SANDBOX_CPU_TIME" ? "timeout" : "error", code);
    },
  });

  function takeMessage({ kind, id, fields }: Message): void {
    const [first = "", second = "", third = ""] = fields;
    if (fields.length !== FIELD_COUNTS.get(kind)) return ending.violate();
    if (kind === KIND.call) ending.stopFor(calls.take(id, first, second, third));
    else if (kind === KIND.log) ending.stopFor(logs.takeLog(first, second));
    else if (kind === KIND.note) ending.stopFor(logs.takeNote(first));
    else if (kind === KIND.done) ending.finish(readResult(first, second, limits));
    else {
      ending.finish(readFailure(first, second, run, (call) => calls.failureOf(call)?.error));
    }
  }

  function onEnd({ clean, ...part }: ProgramEnd): void {
    cpu.close();
    host.listen(null);
    if (!clean) host.kill();
    calls.close();
    resolve({
      clean,
      outcome: {
        resultJson: null,
        oversize: null,
        error: null,
        ...part,
        logs: logs.lines,
        callCount: calls.count,
        wallMs: performance.now() - startedAt,
        cpuMs: cpu.usedMs,
      },
    });
  }

  if (run.signal.aborted) ending.stop("cancelled", "ERR_CANCELLED");
  else void host.send(FRAME.program, JSON.stringify(programMessage(run, limits)));
  return promise;
}
