import { dirname } from "node:path";
import { format } from "node:util";
import { systemConfigDeps } from "../config/load_config.ts";
import type { CliDeps } from "./command.ts";
import { createPatientWriter, type PatientWriter } from "./patient_writer.ts";

/** Maximum size of standard input. The service's own bound for programs is lower. */
const STDIN_BYTES_MAX = 16_777_216;

/** The writers of this process after `outliveReaders`; null before. */
let patient: { readonly stdout: PatientWriter; readonly stderr: PatientWriter } | null = null;

/** The machine as the command line sees it. */
export const systemDeps: CliDeps = {
  ...systemConfigDeps,
  stdout: (text) => patient === null ? writeAll(Deno.stdout, text) : patient.stdout.write(text),
  stderr: (text) => patient === null ? writeAll(Deno.stderr, text) : patient.stderr.write(text),
  outliveReaders() {
    patient ??= { stdout: patientWriter(Deno.stdout), stderr: patientWriter(Deno.stderr) };
    const { stderr } = patient;
    // The methods of Deno's console wait for the reader, and throw if a disk is full.
    const print = (...values: unknown[]) => stderr.write(`${format(...values)}\n`);
    Object.assign(console, {
      debug: print,
      dir: print,
      error: print,
      info: print,
      log: print,
      table: print,
      trace: print,
      warn: print,
    });
  },
  async flushOutput() {
    await Promise.all([patient?.stdout.flush(), patient?.stderr.flush()]);
  },
  readStdin: () => readAll(Deno.stdin.readable),
  writeTextFile: async (path, text, options) => {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text, options);
  },
  pipeToStdout: (stream) =>
    stream.pipeTo(Deno.stdout.writable, { preventClose: true }).catch(leaveIfReaderHasGone),
  pipeToFile: async (path, stream) => {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await Deno.open(path, { write: true, create: true, truncate: true });
    await stream.pipeTo(file.writable);
  },
  // Load it only when needed, so that help and import start without the whole service.
  createApp: async (options) => await (await import("../app.ts")).createApp(options),
  // Used only for the service on this machine, so its token never goes to a proxy.
  fetch: (request) => fetch(request),
  pid: Deno.pid,
  onStopSignal(listener) {
    const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
    for (const signal of signals) Deno.addSignalListener(signal, listener);
    return () => signals.forEach((signal) => Deno.removeSignalListener(signal, listener));
  },
  onReloadSignal(listener) {
    if (Deno.build.os === "windows") return () => {};
    Deno.addSignalListener("SIGHUP", listener);
    return () => Deno.removeSignalListener("SIGHUP", listener);
  },
  onStrayError(listener) {
    const onRejection = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      listener("promise", event.reason);
    };
    const onException = (event: ErrorEvent) => {
      event.preventDefault();
      listener("exception", event.error ?? event.message);
    };
    globalThis.addEventListener("unhandledrejection", onRejection);
    globalThis.addEventListener("error", onException);
    return () => {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onException);
    };
  },
  makeTempDir: () => Deno.makeTempDir({ prefix: "toolgate-" }),
  removeDir: (path) => Deno.remove(path, { recursive: true }),
  exit: (code) => Deno.exit(code),
  now: Date.now,
};

function patientWriter(stream: typeof Deno.stdout): PatientWriter {
  return createPatientWriter({
    write: (bytes) => stream.write(bytes),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  try {
    while (written < bytes.length) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    leaveIfReaderHasGone(error);
  }
}

/** Ends the process if its reader has gone, as with "| head". */
function leaveIfReaderHasGone(error: unknown): void {
  if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
  throw error;
}

async function readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > STDIN_BYTES_MAX) break;
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}
