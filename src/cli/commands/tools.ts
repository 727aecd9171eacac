import type { RouteAnswer } from "../../http/api/client_types.ts";
import type { Command, CommandContext, CommandGroup } from "../command.ts";
import { askDiff, decideTools, listWaiting, notListed, renderDiff } from "../decide_tools.ts";
import { EXIT } from "../exit_code.ts";
import { plain, renderTable } from "../table.ts";

type ToolList = RouteAnswer<"GET /tools">;

const SPACE = { space: { value: "S", about: "Space to look at" } };
const PIN = {
  pin: { value: "HASH", about: "Only if this is the pin of the tool now" },
};
const NAME = { positionals: "NAME", count: [1, 1] } as const;

const list: Command = {
  name: "list",
  summary: "Tools that may be used, and those in quarantine with the reason",
  positionals: "[SERVER]",
  count: [0, 1],
  options: SPACE,
  examples: ["toolgate tools list", "toolgate tools list github --json"],
  async run(context) {
    const client = await context.connect();
    const answer = await client.call("GET /tools", { query: { space: context.text("space") } });
    const [server] = context.positionals;
    const isWanted = (entry: { readonly server: string }) =>
      server === undefined || entry.server === server;
    const wanted: ToolList = {
      tools: answer.tools.filter(isWanted),
      quarantined: answer.quarantined.filter(isWanted),
      servers: answer.servers.filter(isWanted),
    };
    if (context.json) context.output.json(wanted);
    else printList(context, wanted);
    return EXIT.ok;
  },
};

const show: Command = {
  name: "show",
  summary: "One tool: declaration, class, effect, schemas, pin",
  ...NAME,
  options: SPACE,
  examples: ["toolgate tools show orders.list", "toolgate tools show orders.list --json"],
  async run(context) {
    const [name = ""] = context.positionals;
    const client = await context.connect();
    const query = { space: context.text("space") };
    const tool = await client.call("GET /tools/:name", { params: { name }, query });
    if (context.json) context.output.json(tool);
    else {
      context.output.result(tool.declaration);
      context.output.result(
        renderTable(["", ""], [
          ["server", tool.server],
          ["name there", tool.name],
          ["class", tool.access],
          ["effect", tool.effect],
          ["pin", tool.pin],
          ...(tool.schemaNotes ?? []).map((note) => ["not understood", plain(note)]),
        ]).trimStart(),
      );
    }
    return EXIT.ok;
  },
};

const diff: Command = {
  name: "diff",
  summary: "What changed in a tool since it was approved; without NAME in all that wait",
  positionals: "[NAME]",
  count: [0, 1],
  examples: ["toolgate tools diff", "toolgate tools diff github.create_issue"],
  async run(context) {
    if (context.positionals.length === 0) return await diffWaiting(context);
    const [name = ""] = context.positionals;
    const found = await askDiff(await context.connect(), name);
    if (found === null) throw notListed(name);
    if (context.json) context.output.json(found);
    else context.output.result(renderDiff(found));
    return EXIT.ok;
  },
};

const approve: Command = {
  name: "approve",
  summary: "Print what a tool is now and approve exactly that; SERVER.* takes all that wait",
  ...NAME,
  options: PIN,
  examples: [
    "toolgate tools approve github.create_issue",
    "toolgate tools approve github.create_issue --pin 3f6c…",
    'toolgate tools approve "github.*"',
  ],
  run: (context) => decideTools(context, "approve"),
};

const block: Command = {
  name: "block",
  summary: "Take a tool out of use until it is approved again",
  ...NAME,
  options: PIN,
  examples: ["toolgate tools block github.delete_repo"],
  run: (context) => decideTools(context, "block"),
};

export const toolsCommands: CommandGroup = {
  name: "tools",
  summary: "The catalog, pins and quarantine",
  commands: [list, show, diff, approve, block],
};

async function diffWaiting(context: CommandContext): Promise<number> {
  const client = await context.connect();
  const waiting = await listWaiting(client);
  for (const { server, name } of waiting) {
    const found = await askDiff(client, `${server}.${name}`);
    if (found === null) continue;
    if (context.json) context.output.json(found);
    else context.output.result(renderDiff(found));
  }
  context.output.note(`${waiting.length} ${waiting.length === 1 ? "tool waits" : "tools wait"}`);
  return EXIT.ok;
}

function printList(context: CommandContext, { tools, quarantined, servers }: ToolList): void {
  const { output } = context;
  if (tools.length > 0) {
    output.result(
      renderTable(
        ["TOOL", "CLASS", "EFFECT", "TITLE"],
        tools.map((tool) => [tool.name, tool.access, tool.effect, plain(tool.title).slice(0, 60)]),
      ),
    );
  }
  if (quarantined.length > 0) {
    output.result(
      `\n${
        renderTable(
          ["QUARANTINED", "REASON", "DETAIL"],
          quarantined.map((tool) => [`${tool.server}.${tool.name}`, tool.reason, tool.detail]),
        )
      }`,
    );
  }
  for (const { server, status, error } of servers) {
    if (status !== "ready") output.note(`${server} is ${status}: ${error ?? "no answer yet"}`);
  }
  output.note(`${tools.length} tools of ${servers.length} servers`);
}
