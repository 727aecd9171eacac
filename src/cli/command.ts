import type { LoadConfigDeps, LoadedConfig } from "../config/load_config.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../model/log.ts";
import type { ApiClient } from "./api_client.ts";

/** The service inside this process, as the composition root makes it. */
export interface App {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Credential of the operator at this machine, for this start only. */
  readonly localToken: string;
  readonly listen: () => Promise<{ readonly url: string }>;
  /** Takes note of an error that no part of the service waited for. */
  readonly noteStrayError: (origin: "promise" | "exception", error: unknown) => void;
  /** Drains: no new work, running executions finish or are stopped at `server.drainMs`. */
  readonly close: () => Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly source: string;
  readonly baseDir: string;
  readonly log: Log;
  readonly unusablePolicy?: "refuse" | "close";
}

/** What the command line takes from the machine; tests hand in their own. */
export interface CliDeps extends LoadConfigDeps {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /**
   * From now on this process runs on whether anybody reads what it prints or not. Without it, a
   * command ends when its reader goes: with "| head" there is nobody left to tell.
   */
  readonly outliveReaders: () => void;
  /** Waits, a moment at most, until what was printed is written. */
  readonly flushOutput: () => Promise<void>;
  readonly readStdin: () => Promise<string>;
  /** Creates folders on the way; `mode` as in chmod. */
  readonly writeTextFile: (
    path: string,
    text: string,
    options?: { readonly mode?: number },
  ) => Promise<void>;
  /** Bytes as they come, for exports that are not text. */
  readonly pipeToStdout: (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<void>;
  readonly pipeToFile: (
    path: string,
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ) => Promise<void>;
  readonly createApp: (options: AppOptions) => Promise<App>;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly pid: number;
  /** Calls the listener for each SIGINT and SIGTERM; returns how to stop that. */
  readonly onStopSignal: (listener: () => void) => () => void;
  /** Calls the listener for each SIGHUP, where there is one; returns how to stop that. */
  readonly onReloadSignal: (listener: () => void) => () => void;
  /**
   * From now on errors that nobody waited for are told to the listener and end nothing; returns how to
   * stop that.
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
  /** What stands after the name: `QUERY`, `FILE|-`. */
  readonly positionals?: string;
  /** Least and most positionals; default none. */
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

/** What a command gets: its parsed line, and how to answer. */
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
   * @param options.unusablePolicy `close`: go on with a policy that cannot be activated, every tool hidden.
   */
  readonly connect: (
    options?: { readonly unusablePolicy?: "refuse" | "close" },
  ) => Promise<ApiClient>;
}

/** Results go to standard output, everything else to standard error. */
export interface Output {
  /** A result for people; a newline is added where it lacks one. */
  readonly result: (text: string) => void;
  /** A result for programs: one line of JSON. */
  readonly json: (value: unknown) => void;
  /** A remark, progress or warning for people. */
  readonly note: (text: string) => void;
}
