/** Passes messages between the service and the Worker that runs the current program. */
import { programForms } from "../../program/program_forms.ts";
import { createFrameReader, type Frame } from "../../rpc/frames.ts";
import {
  encodeMessage,
  FRAME,
  type HostMessage,
  KIND,
  type ProgramForm,
  type ProgramMessage,
} from "../../rpc/protocol.ts";
import { createAgeWatch } from "./age_watch.ts";
import { createCpuMeter } from "./cpu_meter.ts";
import { createHostPipe, type HostPipe } from "./host_pipe.ts";
import type { HostSettings } from "./host_settings.ts";

export interface Relay {
  say(message: HostMessage): void;
  /** Reads messages of the service until it closes the pipe. */
  run(): Promise<void>;
}

const ENDED_TEXT = encodeMessage(KIND.ended, 0, []);

/**
 * @param workers ready Workers; at level `realm` the first one runs every program
 * @param standBack lowers the priority of this process for good; false if it cannot
 */
export function createRelay(
  settings: HostSettings,
  workers: Worker[],
  standBack: () => boolean,
): Relay {
  const decoder = new TextDecoder();
  const keepsWorker = settings.isolation === "realm";
  const cpu = createCpuMeter();
  const pipe: HostPipe = createHostPipe({ cpu, frameBytesMax: settings.frameBytesMax });
  const age = createAgeWatch({ usedMicros: cpu.usedMicros, standBack });
  let worker: Worker | null = null;
  let ending = false;
  let started = false;

  function startProgram(text: string): void {
    if (worker !== null) pipe.violate("program while one runs");
    const message = JSON.parse(text) as ProgramMessage;
    const next = keepsWorker ? workers[0] : workers.shift();
    if (next === undefined) pipe.violate("no Worker left");
    worker = next;
    ending = false;
    started = false;
    cpu.restart();
    const forms = programForms(message.code);
    if (!forms.ok) {
      if (!keepsWorker) workers.unshift(next);
      pipe.say({ kind: "syntax", message: forms.message, line: forms.line, column: forms.column });
      return;
    }
    listenTo(next, relayFromWorker, pipe);
    started = true;
    age.start();
    next.postMessage(startText(message, forms.forms));
  }

  function relayFromWorker(text: unknown): void {
    if (typeof text !== "string") pipe.violate("message that is not a string");
    if (!ending) pipe.relay(text);
    else if (text === ENDED_TEXT) becomeIdle();
  }

  function endProgram(): void {
    if (worker === null) pipe.violate("end without a program");
    if (!started) return becomeIdle();
    ending = true;
    worker.postMessage(encodeMessage(KIND.end, keepsWorker ? 1 : 0, []));
  }

  function becomeIdle(): void {
    if (started && !keepsWorker) worker?.terminate();
    age.stop();
    worker = null;
    cpu.reset();
    const left = age.isAged ? 0 : workers.length;
    pipe.say({ kind: "idle", workers: left, cpuTotalMs: cpu.usedMicros() / 1_000 });
  }

  function takeFrame(frame: Frame): void {
    if (frame.type === FRAME.program) startProgram(decoder.decode(frame.payload));
    else if (frame.type === FRAME.replies) worker?.postMessage(decoder.decode(frame.payload));
    else if (frame.type === FRAME.ask) pipe.say({ kind: "usage" });
    else if (frame.type === FRAME.end) endProgram();
    else pipe.violate("unknown frame type");
  }

  return {
    say: pipe.say,
    async run() {
      const reader = createFrameReader(() => settings.frameBytesMax);
      const chunk = new Uint8Array(65_536);
      while (true) {
        const count = await Deno.stdin.read(chunk);
        if (count === null) Deno.exit(0);
        if (!reader.push(chunk.subarray(0, count), takeFrame)) pipe.violate("frame over the size");
      }
    },
  };
}

/** From here on every message of the Worker may come from a program, and is untrusted. */
function listenTo(worker: Worker, take: (text: unknown) => void, pipe: HostPipe): void {
  worker.onmessage = (event) => take(event.data);
  worker.onmessageerror = () => pipe.violate("message that does not deserialize");
  worker.onerror = (event) => {
    event.preventDefault();
    pipe.violate("Worker ended");
  };
}

function startText(message: ProgramMessage, forms: readonly ProgramForm[]): string {
  const realm = JSON.stringify({ realm: message.realm, seed: message.seed });
  return encodeMessage(KIND.start, 0, [realm, message.names, JSON.stringify(forms)]);
}
