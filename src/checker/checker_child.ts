import type { Log } from "../model/log.ts";
import { createFrameReader, encodeFrame, type Frame } from "../rpc/frames.ts";
import {
  CHECKER_FRAME,
  type CheckFailure,
  type CheckFinding,
  type CheckRequest,
  parseFindings,
  REPLY_BYTES_MAX,
} from "./protocol.ts";

/** How to start a child process. */
export interface ChildCommand {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

export type ChildAnswer =
  | { readonly kind: "findings"; readonly findings: CheckFinding[] }
  | { readonly kind: "failed"; readonly failure: CheckFailure }
  /** The process ended or broke the protocol. */
  | { readonly kind: "lost" };

/** One checker process. It accepts one check at a time. */
export interface CheckerChild {
  /** Whether the process started. */
  readonly ready: Promise<boolean>;
  readonly isLost: () => boolean;
  check(request: CheckRequest): Promise<ChildAnswer>;
  /** Kills the process; resolves when it has ended. */
  end(): Promise<void>;
}

const STDERR_CHARS_MAX = 500;

export function startCheckerChild(command: ChildCommand, log: Log): CheckerChild {
  const process = new Deno.Command(command.command, {
    args: command.args,
    env: command.env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const started = Promise.withResolvers<boolean>();
  const writer = process.stdin.getWriter();
  let pending: { stamp: number; resolve: (answer: ChildAnswer) => void } | null = null;
  let isUp = false;
  let isLost = false;
  let stamp = 0;

  const lose = () => {
    if (!isLost) kill(process);
    isLost = true;
    started.resolve(false);
    pending?.resolve({ kind: "lost" });
    pending = null;
  };
  const onFrame = (frame: Frame) => {
    if (frame.type === CHECKER_FRAME.ready && !isUp) {
      isUp = true;
      return started.resolve(true);
    }
    const answer = readAnswer(frame);
    if (answer === null || pending === null || frame.stamp !== pending.stamp) return lose();
    pending.resolve(answer);
    pending = null;
  };
  const listening = listen(process.stdout, onFrame).finally(lose);
  const complaints = drain(process.stderr);
  const gone = Promise.allSettled([process.status, listening, complaints]).then(async () => {
    lose();
    await writer.abort().catch(() => {});
    // Later output may quote a program, so the log never contains it.
    if (!isUp) log("warn", "Checker did not start", { stderr: await complaints });
  });

  return {
    ready: started.promise,
    isLost: () => isLost,
    check(request) {
      if (isLost || pending !== null) return Promise.resolve({ kind: "lost" });
      const { promise, resolve } = Promise.withResolvers<ChildAnswer>();
      pending = { stamp: ++stamp, resolve };
      const payload = new TextEncoder().encode(JSON.stringify(request));
      writer.write(encodeFrame(CHECKER_FRAME.check, stamp, payload)).catch(lose);
      return promise;
    },
    async end() {
      lose();
      await gone;
    },
  };
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // The process has already ended.
  }
}

/** Reads until the end of the stream or until a frame is too long. */
async function listen(
  stream: ReadableStream<Uint8Array>,
  onFrame: (frame: Frame) => void,
): Promise<void> {
  const frames = createFrameReader(() => REPLY_BYTES_MAX);
  for await (const chunk of stream) if (!frames.push(chunk, onFrame)) return;
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < STDERR_CHARS_MAX) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, STDERR_CHARS_MAX);
}

function readAnswer(frame: Frame): ChildAnswer | null {
  const value = parse(frame.payload);
  if (frame.type === CHECKER_FRAME.findings) {
    const findings = parseFindings(value);
    return findings === null ? null : { kind: "findings", findings };
  }
  if (frame.type !== CHECKER_FRAME.failed) return null;
  return { kind: "failed", failure: value === "nesting" ? "nesting" : "internal" };
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
