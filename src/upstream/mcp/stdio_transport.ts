import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { endsWithin } from "../../model/time/within_ms.ts";
import { createGatheredWriter } from "../../rpc/gathered_writer.ts";
import type { ChildReaper } from "./child_reaper.ts";
import { createLineSplitter, type LongLine } from "./line_splitter.ts";
import { MALFORMED_ANSWER, MessageIntake } from "./message_intake.ts";

export interface StdioCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child. */
  readonly env: { readonly [name: string]: string };
  readonly cwd: string | undefined;
}

export interface StdioTransportOptions {
  readonly command: StdioCommand;
  readonly messageBytesMax: number;
  readonly reaper: ChildReaper;
  /** Called for each line of the child's standard error, cut to 2 KiB. */
  readonly onStderr: (line: string) => void;
  /** Called for each line of standard output that is not a message. */
  readonly onNoise: (line: string) => void;
  /** Called with the child's exit status, after its last output and before `onclose`. */
  readonly onExit: (status: Deno.CommandStatus) => void;
  /** How long a child may take to end by itself, and again to end after SIGTERM. */
  readonly graceMs: number;
}

/** Characters at each end of an unreadable answer that are searched for its id. */
const ENDS_CHARACTERS = 256;
const STDERR_LINE_BYTES_MAX = 2_048;
/** Messages up to this size in total share one write; a larger message has its own. */
const WRITE_CHARACTERS_MAX = 65_536;

/**
 * MCP over a child's standard input and output: one JSON message per line.
 *
 * Reads in linear time, whatever the size of a message. Answers an oversized message with an error
 * instead of closing. Ends the child's whole process group, so that processes that `npx` started
 * end as well.
 *
 * @see MCP, "Transports: stdio"
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #options: StdioTransportOptions;
  readonly #intake = new MessageIntake({
    deliver: (message) => this.onmessage?.(message),
    problem: (why) => this.onerror?.(new Error(why)),
  });
  readonly #encoder = new TextEncoder();
  #child: Deno.ChildProcess | null = null;
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null = null;
  #ended: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;
  #isClosed = false;
  readonly #messages = createGatheredWriter(
    async (lines) => await this.#writer?.write(this.#encoder.encode(lines)),
    WRITE_CHARACTERS_MAX,
  );

  constructor(options: StdioTransportOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const child = await spawnChild(this.#options.command);
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    await this.#options.reaper.watch(child.pid);
    const stdout = pump(child.stdout, {
      lineBytesMax: this.#options.messageBytesMax,
      onLine: (line) => this.#receive(line),
      onLongLine: (line) =>
        this.#intake.refuse(
          answeredId(line),
          MESSAGE_TOO_LARGE,
          `Answer of ${line.bytes} bytes is over the limit`,
        ),
    });
    const stderr = pump(child.stderr, {
      lineBytesMax: STDERR_LINE_BYTES_MAX,
      onLine: this.#options.onStderr,
      onLongLine: (line) => this.#options.onStderr(`${line.head}…`),
    });
    this.#ended = this.#finish(child, stdout, stderr);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#writer === null || this.#isClosed) throw new Error("Not connected");
    this.#intake.sending(message);
    await this.#messages.push(JSON.stringify(message) + "\n");
  }

  setProtocolVersion(version: string): void {
    this.#intake.setProtocolVersion(version);
  }

  /** Asks the child to end, then kills it. The client library may also call this. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#child === null) return;
    const { graceMs } = this.#options;
    // Closing standard input tells the server to end.
    this.#writer?.close().catch(() => {});
    if (await endsWithin(this.#ended, graceMs)) return;
    killGroup(this.#child.pid, "SIGTERM");
    if (await endsWithin(this.#ended, graceMs)) return;
    killGroup(this.#child.pid, "SIGKILL");
    await this.#ended;
  }

  #receive(text: string): void {
    const line = text.trim();
    if (line === "") return;
    const message = parse(line);
    if (message !== undefined) return this.#intake.receive(message);
    const id = answeredId({
      head: line.slice(0, ENDS_CHARACTERS),
      tail: line.slice(-ENDS_CHARACTERS),
    });
    if (id !== null) return this.#intake.refuse(id, MALFORMED_ANSWER, "its line is not JSON");
    // This line is part of a message written over several lines.
    if (/^"jsonrpc"\s*:\s*"2\.0"\s*,?$/.test(line)) {
      return this.#intake.refuse(null, MALFORMED_ANSWER, "it takes several lines");
    }
    this.#options.onNoise(line);
  }

  /** Waits for the child, then kills the rest of its group and tells the client. */
  async #finish(
    child: Deno.ChildProcess,
    stdout: Promise<void>,
    stderr: Promise<void>,
  ): Promise<void> {
    const exited = child.status.then(() => {});
    await Promise.race([exited, stdout]);
    this.#isClosed = true;
    // A child that closed its standard output cannot answer, and its own children may hold the
    // pipes open.
    await endsWithin(exited, this.#options.graceMs);
    killGroup(child.pid, "SIGKILL");
    await exited;
    await Promise.all([stdout, stderr]);
    await this.#writer?.abort().catch(() => {});
    await this.#options.reaper.forget(child.pid).catch(() => {});
    this.#options.onExit(await child.status);
    this.onclose?.();
  }
}

/** JSON-RPC error code of an answer that was too large to read. */
export const MESSAGE_TOO_LARGE = -31_001;

/** @throws {Error} if the folder or the command does not exist; the message names it. */
async function spawnChild({ command, args, env, cwd }: StdioCommand): Promise<Deno.ChildProcess> {
  if (cwd !== undefined) await checkFolder(cwd);
  try {
    return new Deno.Command(command, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      ...(cwd === undefined ? {} : { cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: Deno.build.os !== "windows",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`There is no program "${command}": install it, or name it with its path`, {
      cause: error,
    });
  }
}

/** @throws {Error} if the folder does not exist: the runtime would use another one. */
async function checkFolder(cwd: string): Promise<void> {
  const isFolder = await Deno.stat(cwd).then((found) => found.isDirectory, () => false);
  if (!isFolder) throw new Error(`The folder "${cwd}", its "cwd", does not exist`);
}

async function pump(
  stream: ReadableStream<Uint8Array>,
  options: Parameters<typeof createLineSplitter>[0],
): Promise<void> {
  const splitter = createLineSplitter(options);
  try {
    for await (const chunk of stream) splitter.push(chunk);
  } catch {
    // A broken pipe means that the child ended; its exit status gives the reason.
  }
  splitter.end();
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The id at the start or the end of an unparsed message; servers write it at either end. */
function answeredId(line: Pick<LongLine, "head" | "tail">): number | null {
  const atStart = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(
    line.head,
  );
  const atEnd = /"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(line.tail);
  const digits = atStart?.[1] ?? atEnd?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Signals every process of a group; a group that is gone is not an error. */
function killGroup(groupId: number, signal: Deno.Signal): void {
  try {
    Deno.kill(Deno.build.os === "windows" ? groupId : -groupId, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && /ESRCH|No such process|already terminated/i.test(error.message);
}
