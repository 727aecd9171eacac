import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { isGroup, parseCommandLine } from "../../src/cli/parse_command_line.ts";
import { renderHelp } from "../../src/cli/help.ts";
import { GateError } from "../../src/model/errors.ts";

function parse(...args: string[]) {
  const line = parseCommandLine(args, COMMANDS);
  assert.equal(line.kind, "run");
  return line.kind === "run" ? line : assert.fail();
}

function refusal(...args: string[]): { message: string; hint: string } {
  try {
    parseCommandLine(args, COMMANDS);
  } catch (error) {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_BAD_REQUEST");
    return error;
  }
  return assert.fail(`accepted: ${args.join(" ")}`);
}

Deno.test("parseCommandLine() reads options before and after the command, with = and apart", () => {
  const line = parse("--config", "a.yaml", "search", "two words", "--limit=3", "--json", "more");
  assert.equal(line.command.name, "search");
  assert.deepEqual([...line.texts], [["config", "a.yaml"], ["limit", "3"]]);
  assert.deepEqual([...line.flags], ["json"]);
  assert.deepEqual(line.positionals, ["two words", "more"]);
});

Deno.test("parseCommandLine() takes - as a positional and everything after -- as well", () => {
  assert.deepEqual(parse("run", "-").positionals, ["-"]);
  assert.deepEqual(parse("search", "--", "--limit").positionals, ["--limit"]);
});

Deno.test("parseCommandLine() takes negative numbers and JSON as values", () => {
  assert.equal(parse("search", "x", "--limit", "-5").texts.get("limit"), "-5");
});

Deno.test("parseCommandLine() finds subcommands, with options around them", () => {
  const line = parse("audit", "--json", "list", "--effect", "deny");
  assert.equal(line.command.name, "list");
  assert.deepEqual([...line.flags], ["json"]);
  assert.equal(line.texts.get("effect"), "deny");
});

Deno.test("parseCommandLine() names an unknown word and the nearest known one", () => {
  const cases: [string[], RegExp, RegExp][] = [
    [["serach"], /Unknown command "serach"/, /mean "search"/],
    [["zzzzzz"], /Unknown command "zzzzzz"/, /--help/],
    [["audit", "lst"], /Unknown command "toolgate audit lst"/, /mean "list"/],
    [["audit"], /"toolgate audit" needs a subcommand/, /list, show, tail/],
    [["search", "x", "--limt", "3"], /Unknown option "--limt"/, /mean "--limit"/],
    [["search", "x", "-l"], /Unknown option "-l"/, /--help/],
    [["search", "x", "--__proto__"], /Unknown option/, /--help/],
    [["search", "x", "--limit"], /"--limit" needs a value/, /--limit N/],
    [["search", "x", "--limit", "--json"], /"--limit" needs a value/, /--limit N/],
    [["search", "x", "--json=yes"], /"--json" takes no value/, /alone/],
    [["search"], /needs QUERY/, /--help/],
    [["run", "a", "b"], /does not take "b"/, /quote/],
    [[], /No command given/, /--help/],
  ];
  for (const [args, message, hint] of cases) {
    const refused = refusal(...args);
    assert.match(refused.message, message);
    assert.match(refused.hint, hint);
  }
});

Deno.test("parseCommandLine() finds --help and -h anywhere, and the help command", () => {
  assert.deepEqual(parseCommandLine(["--help"], COMMANDS), { kind: "help", topic: [] });
  assert.deepEqual(parseCommandLine(["run", "-h"], COMMANDS), { kind: "help", topic: ["run"] });
  assert.deepEqual(parseCommandLine(["help", "run"], COMMANDS), { kind: "help", topic: ["run"] });
  assert.deepEqual(parseCommandLine(["audit", "--help"], COMMANDS), {
    kind: "help",
    topic: ["audit"],
  });
  assert.deepEqual(
    parseCommandLine(["audit", "list", "--help"], COMMANDS),
    {
      kind: "help",
      topic: ["audit", "list"],
    },
  );
});

Deno.test("renderHelp() shows options and at least one example for every command", () => {
  for (const entry of COMMANDS) {
    const paths = isGroup(entry)
      ? entry.commands.map((command) => [entry.name, command.name])
      : [[entry.name]];
    if (isGroup(entry)) assert.match(renderHelp([entry.name], COMMANDS), /Commands:/);
    for (const path of paths) {
      const help = renderHelp(path, COMMANDS);
      assert.match(help, new RegExp(`^toolgate ${path.join(" ")}`));
      for (const option of ["--config FILE", "--json", "--help"]) assert.ok(help.includes(option));
      assert.match(help, new RegExp(`Examples:\n.*toolgate ${path.join(" ")}`, "s"));
      for (const line of help.split("\n")) assert.ok(line.length <= 120, `too long: ${line}`);
    }
  }
  const overview = renderHelp([], COMMANDS);
  for (const entry of COMMANDS) assert.match(overview, new RegExp(`\n  ${entry.name}`));
  assert.throws(() => renderHelp(["serch"], COMMANDS), /There is no help/);
});

Deno.test("every example in the help parses", () => {
  for (const entry of COMMANDS) {
    for (const command of isGroup(entry) ? entry.commands : [entry]) {
      for (const example of command.examples) {
        const words = example.replace(/^.*\| /, "").match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
        assert.equal(words[0], "toolgate");
        const args = words.slice(1).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
        assert.equal(parseCommandLine(args, COMMANDS).kind, "run", example);
      }
    }
  }
});
