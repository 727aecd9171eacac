import { loadConfig, type LoadedConfig } from "../config/load_config.ts";
import { takeProxyVariables } from "../config/site_environment.ts";
import { GateError, reportError } from "../model/errors.ts";
import type { ApiClient } from "./api_client.ts";
import type { CliDeps, Command, CommandContext } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { connect } from "./connect.ts";
import { EXIT, exitCodeOf } from "./exit_code.ts";
import { renderHelp } from "./help.ts";
import { createLog, logLevelOf } from "./log.ts";
import { createOutput } from "./output.ts";
import { parseCommandLine } from "./parse_command_line.ts";
import { usageError } from "./usage_error.ts";
import { VERSION } from "../model/version.ts";

/**
 * Runs one command line.
 *
 * @param args the arguments after `toolgate`.
 * @returns the exit code. @see exit_code.ts
 */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  takeProxyVariables();
  const output = createOutput(deps);
  const isJson = args.includes("--json");
  try {
    const line = parseCommandLine(args, COMMANDS);
    if (line.kind === "version") {
      if (isJson) output.json({ version: VERSION });
      else output.result(VERSION);
      return EXIT.ok;
    }
    if (line.kind === "help") {
      const help = renderHelp(line.topic, COMMANDS);
      if (isJson) output.json({ help });
      else output.result(help);
      return EXIT.ok;
    }
    return await runCommand(line.command, line, deps);
  } catch (error) {
    const report = reportError(error);
    if (isJson) output.json({ error: report });
    output.note(`toolgate: ${report.message}\n  ${report.hint}`);
    // An unexpected error: the operator needs the stack, not only the message.
    if (!(error instanceof GateError)) output.note(String((error as Error)?.stack ?? error));
    return exitCodeOf(report.code);
  } finally {
    await deps.flushOutput();
  }
}

interface CommandLine {
  readonly texts: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

async function runCommand(command: Command, line: CommandLine, deps: CliDeps): Promise<number> {
  let client: ApiClient | null = null;
  const load = (overrides = {}): Promise<LoadedConfig> =>
    loadConfig(line.texts.get("config"), deps, overrides);
  const context: CommandContext = {
    positionals: line.positionals,
    text: (option) => line.texts.get(option),
    flag: (option) => line.flags.has(option),
    integer: (option, min, max) => integerOf(line.texts.get(option), option, min, max),
    json: line.flags.has("json"),
    output: createOutput(deps),
    deps,
    loadConfig: load,
    connect: async (options = {}) => {
      const log = createLog(deps, logLevelOf(deps.env("TOOLGATE_LOG"), "warn"));
      client ??= await connect(deps, { ...await load(), ...options }, log);
      return client;
    },
  };
  try {
    return await command.run(context);
  } finally {
    await (client as ApiClient | null)?.close();
  }
}

function integerOf(
  text: string | undefined,
  option: string,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw usageError(
    `Option "--${option}" is "${text}"`,
    `Write a whole number from ${min} to ${max}`,
  );
}
