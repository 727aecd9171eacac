import type { LoadConfigDeps, LoadedConfig } from "../config/load_config.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../model/log.ts";
import type { ApiClient } from "./api_client.ts";

/** The service inside this process, made by the composition root. */
export interface App {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Credential of the operator at this machine, valid until this process ends. */
  readonly localToken: string;
  readonly listen: () => Promise<{ readonly url: string }>;
  /** Logs and counts an error that no part of the service handled. */
  readonly noteStrayError: (origin: "promise" | "exception", error: unknown) => void;
  /** Drains: takes no new work; running executions may finish within `server.drainMs`. */
  readonly close: () => Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly source: string;
  readonly baseDir: string;
  readonly log: Log;
  readonly unusablePolicy?: "refuse" | "close";
}

/** What the command line needs from the machine; tests pass their own. */
export interface CliDeps extends LoadConfigDeps {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /**
   * After this call the process continues even if its output has no reader. Other commands end when
   * their reader goes, as with "| head".
   */
  readonly outliveReaders: () => void;
  /** Waits until printed text is written, for a short time at most. */
  readonly flushOutput: () => Promise<void>;
  readonly readStdin: () => Promise<string>;
  /** Creates missing folders; `mode` as in chmod. */
  readonly writeTextFile: (
    path: string,
    text: string,
    options?: { readonly mode?: number },
  ) => Promise<void>;
  /** Writes bytes unchanged, for exports that are not text. */
  readonly pipeToStdout: (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<void>;
  readonly pipeToFile: (
    path: string,
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ) => Promise<void>;
  readonly createApp: (options: AppOptions) => Promise<App>;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly pid: number;
  /** Calls the listener for each SIGINT and SIGTERM; returns a function that stops that. */
  readonly onStopSignal: (listener: () => void) => () => void;
  /** Calls the listener for each SIGHUP, if the system has it; returns a function to stop. */
  readonly onReloadSignal: (listener: () => void) => () => void;
  /**
   * After this call the listener gets unhandled errors, and they do not end the process. Returns a
   * function that stops that.
   */
  readonly onStrayError: (
    listener: (origin: "promise" | "exception", error: unknown) => void,
  ) => () => void;
  readonly makeTempDir: () => Promise<string>;
  readonly removeDir: (path: string) => Promise<void>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One option of a command. */
export interface Option {
  /** How the value is shown in the help, `N` or `FILE`; absent: a flag without a value. */
  readonly value?: string;
  readonly about: string;
}

/** One command, or one subcommand of a group. */
export interface Command {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Arguments after the name: `QUERY`, `FILE|-`. */
  readonly positionals?: string;
  /** Minimum and maximum of positionals; default none. */
  readonly count?: readonly [number, number];
  readonly options?: { readonly [name: string]: Option };
  readonly examples: readonly string[];
  readonly run: (context: CommandContext) => Promise<number>;
}

/** Commands under one word: `tools list`, `tools show`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** The input of a command: its parsed line, and functions to answer. */
export interface CommandContext {
  readonly positionals: readonly string[];
  readonly text: (option: string) => string | undefined;
  readonly flag: (option: string) => boolean;
  /** @throws {GateError} `ERR_BAD_REQUEST` if it is not a whole number within the bounds. */
  readonly integer: (option: string, min: number, max: number) => number | undefined;
  readonly json: boolean;
  readonly output: Output;
  readonly deps: CliDeps;
  readonly loadConfig: (
    overrides?: { readonly host?: string; readonly port?: number },
  ) => Promise<LoadedConfig>;
  /**
   * The running service, or the application in this process; closed when the command ends.
   *
   * @param options.unusablePolicy `close`: hide every tool if the policy cannot be activated,
   * instead of an error.
   */
  readonly connect: (
    options?: { readonly unusablePolicy?: "refuse" | "close" },
  ) => Promise<ApiClient>;
}

/** Results go to standard output, everything else to standard error. */
export interface Output {
  /** A result for people; adds a newline if it is missing. */
  readonly result: (text: string) => void;
  /** A result for programs: one line of JSON. */
  readonly json: (value: unknown) => void;
  /** A remark, progress or warning for people. */
  readonly note: (text: string) => void;
}
