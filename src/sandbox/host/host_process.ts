import { createFrameReader, encodeFrame, type Frame } from "../../rpc/frames.ts";
import { FRAME, type HostMessage, type KernelReport } from "../../rpc/protocol.ts";
import type { HostCommand } from "./host_command.ts";

/** How a host process ended. */
export interface HostDeath {
  readonly code: number;
  readonly signal: string | null;
  /** The end of its stderr. May hold text of a program: never log it raw. */
  readonly stderr: string;
}

/** Receives the messages of a host while a program runs in it. */
export interface HostListener {
  /** The payload is only valid during the call. */
  onWorkerText(text: string, cpuMs: number): void;
  onHostMessage(message: HostMessage, cpuMs: number): void;
  /** Called when the host sends an invalid frame. */
  onViolation(what: string): void;
  onDeath(death: HostDeath): void;
}

/** One sandbox host, seen from the service. */
export interface HostProcess {
  readonly pid: number;
  /** Rejects if the process dies first. */
  readonly ready: Promise<{ readonly kernel: KernelReport; readonly workers: number }>;
  readonly death: Promise<HostDeath>;
  listen(listener: HostListener | null): void;
  /** Resolves when the pipe has taken the bytes. */
  send(type: number, text: string): Promise<void>;
  kill(): void;
}

const STDERR_CHARS_MAX = 8_192;

/** Starts a host and reads its frames. @param frameBytesMax the longest frame accepted from it */
export function startHostProcess(command: HostCommand, frameBytesMax: number): HostProcess {
  const child = new Deno.Command(command.command, {
    args: [...command.args],
    env: { ...command.env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const ready = Promise.withResolvers<{ kernel: KernelReport; workers: number }>();
  ready.promise.catch(() => {});
  let isReady = false;
  let listener: HostListener | null = null;
  let dead = false;

  function kill(): void {
    if (dead) return;
    try {
      child.kill("SIGKILL");
    } catch {
      // The process has already ended by itself.
    }
  }

  function onFrame(frame: Frame): void {
    const cpuMs = frame.stamp / 1_000;
    if (frame.type === FRAME.worker && isReady) {
      listener?.onWorkerText(decoder.decode(frame.payload), cpuMs);
      return;
    }
    const message = frame.type === FRAME.host
      ? parseHostMessage(decoder.decode(frame.payload))
      : null;
    if (message === null) return violate("frame of an unknown form");
    if (!isReady) {
      if (message.kind !== "ready") return violate("frame before ready");
      isReady = true;
      ready.resolve({ kernel: message.kernel, workers: message.workers });
    } else listener?.onHostMessage(message, cpuMs);
  }

  function violate(what: string): void {
    listener?.onViolation(what);
    kill();
  }

  async function pumpFrames(): Promise<void> {
    const reader = createFrameReader(() => frameBytesMax);
    for await (const chunk of child.stdout) {
      if (!reader.push(chunk, onFrame)) {
        violate("frame over the size");
        return;
      }
    }
  }

  async function pumpStderr(): Promise<string> {
    let text = "";
    for await (const chunk of child.stderr) {
      text = (text + decoder.decode(chunk)).slice(-STDERR_CHARS_MAX);
    }
    return text;
  }

  async function watch(): Promise<HostDeath> {
    const [status, stderr] = await Promise.all([
      child.status,
      pumpStderr(),
      pumpFrames().catch((error) => violate(`frames cannot be read: ${error}`)),
    ]);
    dead = true;
    await writer.abort().catch(() => {});
    const death = { code: status.code, signal: status.signal, stderr };
    ready.reject(new Error(`Sandbox host ended with ${status.signal ?? status.code}: ${stderr}`));
    listener?.onDeath(death);
    return death;
  }

  return {
    pid: child.pid,
    ready: ready.promise,
    death: watch(),
    listen(next) {
      listener = next;
    },
    send(type, text) {
      // A host that died meanwhile is reported by `death`.
      return writer.write(encodeFrame(type, 0, encoder.encode(text))).catch(() => {});
    },
    kill,
  };
}

/** @returns null if the text is not a valid message of a host. */
function parseHostMessage(text: string): HostMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof message !== "object" || message === null) return null;
  const { kind } = message as { kind?: unknown };
  switch (kind) {
    case "ready":
    case "idle":
    case "syntax":
    case "usage":
    case "violation":
      return message as HostMessage;
    default:
      return null;
  }
}
