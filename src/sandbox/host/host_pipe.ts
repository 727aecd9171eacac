import { encodeFrame } from "../../rpc/frames.ts";
import { FRAME, type HostMessage } from "../../rpc/protocol.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import { EXIT_VIOLATION } from "./host_settings.ts";

/** Sends frames from the host to the service. Every frame carries the CPU time of the program. */
export interface HostPipe {
  say(message: HostMessage): void;
  /** Passes on a Worker's text, under the frame type reserved for Workers. */
  relay(text: string): void;
  /** Reports a breach of the protocol, and ends the process. */
  violate(what: string): never;
}

export interface HostPipeOptions {
  readonly cpu: Pick<CpuMeter, "usedMicros">;
  readonly frameBytesMax: number;
}

export function createHostPipe({ cpu, frameBytesMax }: HostPipeOptions): HostPipe {
  const encoder = new TextEncoder();

  function write(type: number, payload: Uint8Array): void {
    const frame = encodeFrame(type, cpu.usedMicros(), payload);
    let offset = 0;
    while (offset < frame.length) offset += Deno.stdout.writeSync(frame.subarray(offset));
  }
  function say(message: HostMessage): void {
    write(FRAME.host, encoder.encode(JSON.stringify(message)));
  }
  function violate(what: string): never {
    say({ kind: "violation", what });
    Deno.exit(EXIT_VIOLATION);
  }

  return {
    say,
    relay(text) {
      const payload = encoder.encode(text);
      if (payload.length > frameBytesMax) violate("message over the frame size");
      write(FRAME.worker, payload);
    },
    violate,
  };
}
