import type { Command, CommandGroup, Option } from "./command.ts";
import { COMMON_OPTIONS, isGroup } from "./parse_command_line.ts";
import { suggest, usageError } from "./usage_error.ts";
import { VERSION } from "../model/version.ts";

const EXIT_CODES =
  "Exit codes: 0 ok, 1 the program or check failed, 2 wrong usage or configuration, 3 denied by\n" +
  "policy, 4 not reachable, 5 waiting for approval.";

/**
 * The help for all commands, for a group, or for one command.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` if there is no such command.
 */
export function renderHelp(
  topic: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): string {
  const [name, subname] = topic;
  if (name === undefined) return renderOverview(commands);
  const found = find(commands, name);
  if (!isGroup(found)) return renderCommand([name], found);
  if (subname === undefined) return renderGroup(found);
  return renderCommand([name, subname], find(found.commands, subname));
}

function find<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw usageError(
    `There is no help for "${name}"`,
    suggest(name, list.map((entry) => entry.name), 'Run "toolgate --help"'),
  );
}

function renderOverview(commands: readonly (Command | CommandGroup)[]): string {
  const rows = commands.map((entry): [string, string] => [
    isGroup(entry)
      ? `${entry.name} ${entry.commands.map((c) => c.name).join("|")}`
      : usageOf(entry),
    entry.summary,
  ]);
  return [
    `toolgate ${VERSION}: one MCP server before all your tools`,
    "",
    "Usage: toolgate COMMAND [options]",
    "",
    "Commands:",
    ...alignPairs(rows),
    "",
    "Options of every command:",
    ...alignPairs(optionRows(COMMON_OPTIONS)),
    "",
    EXIT_CODES,
    'Run "toolgate COMMAND --help" for its options and examples.',
    "",
  ].join("\n");
}

function renderGroup(group: CommandGroup): string {
  return [
    `toolgate ${group.name}: ${group.summary}`,
    "",
    "Commands:",
    ...alignPairs(
      group.commands.map((command) => [`${group.name} ${usageOf(command)}`, command.summary]),
    ),
    "",
    `Run "toolgate ${group.name} COMMAND --help" for options and examples.`,
    "",
  ].join("\n");
}

function renderCommand(path: readonly string[], command: Command): string {
  const words = ["toolgate", ...path.slice(0, -1), usageOf(command)].join(" ");
  return [
    `${words} [options]`,
    "",
    `${command.summary}.`,
    "",
    "Options:",
    ...alignPairs(optionRows({ ...command.options, ...COMMON_OPTIONS })),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

function usageOf(command: Command): string {
  return command.positionals === undefined
    ? command.name
    : `${command.name} ${command.positionals}`;
}

function optionRows(options: { readonly [name: string]: Option }): [string, string][] {
  return Object.entries(options).map(([name, option]) => [
    `--${name}${option.value === undefined ? "" : ` ${option.value}`}`,
    option.about,
  ]);
}

/** Two columns; a left text that is too long gets its own line. */
function alignPairs(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) =>
    left.length > width
      ? [`  ${left}`, `  ${" ".repeat(width)}  ${right}`]
      : [`  ${left.padEnd(width)}  ${right}`]
  );
}
