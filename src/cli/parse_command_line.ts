import { parseArgs } from "node:util";
import type { Command, CommandGroup, Option } from "./command.ts";
import { suggest, usageError } from "./usage_error.ts";

/** Options that every command takes. */
export const COMMON_OPTIONS: { readonly [name: string]: Option } = {
  config: {
    value: "FILE",
    about: "Configuration; else $TOOLGATE_CONFIG, ./toolgate.yaml, ./toolgate.json, the demo",
  },
  json: { about: "Machine-readable result on standard output" },
  help: { about: "Show this help" },
};

export type ParsedLine =
  | { readonly kind: "help"; readonly topic: readonly string[] }
  | { readonly kind: "version" }
  | {
    readonly kind: "run";
    readonly command: Command;
    readonly texts: ReadonlyMap<string, string>;
    readonly flags: ReadonlySet<string>;
    readonly positionals: readonly string[];
  };

/**
 * Parses a command line.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` that names the unknown word and the nearest known one.
 */
export function parseCommandLine(
  args: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): ParsedLine {
  const { before, words } = splitAtCommand(args);
  if (before.includes("--version") && words.length === 0) return { kind: "version" };
  const [name, ...rest] = words;
  if (name === undefined) {
    if (before.includes("--help") || before.includes("-h")) return { kind: "help", topic: [] };
    throw usageError("No command given", 'Run "toolgate --help" for the list of commands');
  }
  if (name === "help") return { kind: "help", topic: rest.filter((word) => !word.startsWith("-")) };
  if (name === "version") return { kind: "version" };
  const found = commands.find((candidate) => candidate.name === name);
  if (found === undefined) {
    const names = commands.map((candidate) => candidate.name);
    throw usageError(
      `Unknown command "${name}"`,
      suggest(name, names, 'Run "toolgate --help" for the list of commands'),
    );
  }
  if (!isGroup(found)) return parseOptions(found, [found.name], [...before, ...rest]);
  const inner = splitAtCommand(rest);
  const [subname, ...subrest] = inner.words;
  if (subname === undefined) {
    if ([...before, ...rest].some(isHelp)) return { kind: "help", topic: [found.name] };
    const names = found.commands.map((command) => command.name).join(", ");
    throw usageError(`"toolgate ${name}" needs a subcommand`, `Use one of ${names}`);
  }
  const command = found.commands.find((candidate) => candidate.name === subname);
  if (command === undefined) {
    const names = found.commands.map((candidate) => candidate.name);
    throw usageError(
      `Unknown command "toolgate ${name} ${subname}"`,
      suggest(subname, names, `Use one of ${names.join(", ")}`),
    );
  }
  return parseOptions(command, [found.name, command.name], [
    ...before,
    ...inner.before,
    ...subrest,
  ]);
}

export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}

/** Options may stand before the command; only `--config` takes a value there. */
function splitAtCommand(args: readonly string[]): { before: string[]; words: string[] } {
  let index = 0;
  while (index < args.length && args[index]?.startsWith("-") && args[index] !== "-") {
    index += args[index] === "--config" ? 2 : 1;
  }
  return { before: args.slice(0, index), words: args.slice(index) };
}

function parseOptions(command: Command, topic: string[], args: string[]): ParsedLine {
  const options = { ...COMMON_OPTIONS, ...command.options };
  const shown = `toolgate ${topic.join(" ")}`;
  const { tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [
        name,
        { type: option.value === undefined ? "boolean" as const : "string" as const },
      ]),
    ),
  });
  const texts = new Map<string, string>();
  const flags = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    if (isHelp(token.rawName)) return { kind: "help", topic };
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined || !token.rawName.startsWith("--")) {
      throw usageError(
        `Unknown option "${token.rawName}" of "${shown}"`,
        suggest(
          token.rawName,
          Object.keys(options).map((name) => `--${name}`),
          `Run "${shown} --help" for its options`,
        ),
      );
    }
    if (option.value === undefined) {
      if (token.value !== undefined) {
        throw usageError(
          `Option "${token.rawName}" takes no value`,
          `Write ${token.rawName} alone`,
        );
      }
      flags.add(token.name);
    } else {
      const missing = token.value === undefined ||
        (!token.inlineValue && token.value.startsWith("--"));
      if (missing) {
        throw usageError(
          `Option "${token.rawName}" needs a value`,
          `Write ${token.rawName} ${option.value}`,
        );
      }
      texts.set(token.name, token.value);
    }
  }
  const [min, max] = command.count ?? [0, 0];
  if (positionals.length < min) {
    throw usageError(`"${shown}" needs ${command.positionals}`, `Run "${shown} --help"`);
  }
  if (positionals.length > max) {
    throw usageError(
      `"${shown}" does not take "${positionals[max]}"`,
      `Run "${shown} --help"; quote a text with spaces`,
    );
  }
  return { kind: "run", command, texts, flags, positionals };
}

function isHelp(argument: string): boolean {
  return argument === "--help" || argument === "-h";
}
