import type { ToolDiff } from "../../catalog/diff_definition.ts";
import { GateError } from "../../model/errors.ts";
import type { QuarantinedTool, ServerState } from "../../model/catalog.ts";
import type { Access, Tool } from "../../model/tool.ts";
import { apiPath } from "../api_client.ts";
import type { Command, CommandContext, CommandGroup } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { plain, renderTable } from "../table.ts";

interface ToolRow {
  readonly name: string;
  readonly server: string;
  readonly title: string;
  readonly description: string;
  readonly access: Access;
  readonly effect: "allow" | "ask";
  readonly pin: string;
}

interface ToolList {
  readonly tools: readonly ToolRow[];
  readonly quarantined: readonly QuarantinedTool[];
  readonly servers: readonly ServerState[];
}

const SPACE = { space: { value: "S", about: "Space to look at" } };
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
    const answer = await client.ask<ToolList>({
      path: "/tools",
      query: { space: context.text("space") },
    });
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
    const tool = await askAbout<Tool & ToolRow & { declaration: string }>(context, "");
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
    const { diff: found } = await askAbout<{ readonly diff: ToolDiff | null }>(context, "diff");
    if (found === null) {
      throw new GateError("ERR_NOT_FOUND", `No upstream lists "${context.positionals[0]}"`, {
        hint: 'See "toolgate tools list"',
      });
    }
    if (context.json) context.output.json(found);
    else context.output.result(renderDiff(found));
    return EXIT.ok;
  },
};

const approve: Command = {
  name: "approve",
  summary: "Approve a tool as it is now; SERVER.* approves all that wait",
  ...NAME,
  examples: ["toolgate tools approve github.create_issue", 'toolgate tools approve "github.*"'],
  async run(context) {
    const answer = await askAbout<{ readonly approved: number }>(context, "approve", "POST");
    if (context.json) context.output.json(answer);
    else {
      const count = `${answer.approved} ${answer.approved === 1 ? "tool" : "tools"}`;
      context.output.note(`Approved ${count} of ${context.positionals[0]}`);
    }
    return EXIT.ok;
  },
};

const block: Command = {
  name: "block",
  summary: "Take a tool out of use until it is approved again",
  ...NAME,
  examples: ["toolgate tools block github.delete_repo"],
  async run(context) {
    const answer = await askAbout<{ readonly blocked: string }>(context, "block", "POST");
    if (context.json) context.output.json(answer);
    else context.output.note(`Blocked ${answer.blocked}`);
    return EXIT.ok;
  },
};

export const toolsCommands: CommandGroup = {
  name: "tools",
  summary: "The catalog, pins and quarantine",
  commands: [list, show, diff, approve, block],
};

async function askAbout<Answer>(
  context: CommandContext,
  action: string,
  method: "GET" | "POST" = "GET",
): Promise<Answer> {
  const [name = ""] = context.positionals;
  const client = await context.connect();
  return await client.ask<Answer>({
    method,
    path: action === "" ? apiPath("tools", name) : apiPath("tools", name, action),
    query: { space: context.text("space") },
  });
}

async function diffWaiting(context: CommandContext): Promise<number> {
  const client = await context.connect();
  const { quarantined } = await client.ask<ToolList>({ path: "/tools" });
  const waiting = quarantined.filter(({ reason }) => reason === "drift" || reason === "pending");
  for (const { server, name } of waiting) {
    const { diff: found } = await client.ask<{ readonly diff: ToolDiff | null }>({
      path: apiPath("tools", `${server}.${name}`, "diff"),
    });
    if (found === null) continue;
    if (context.json) context.output.json(found);
    else context.output.result(renderDiff(found));
  }
  context.output.note(`${waiting.length} ${waiting.length === 1 ? "tool waits" : "tools wait"}`);
  return EXIT.ok;
}

function renderDiff({ server, name, state, change, changes }: ToolDiff): string {
  const head = `${server}.${name}: ${state}, ${change ?? "no"} difference to what was approved`;
  const lines = changes.flatMap(({ path, before, after }) => [
    `  ${plain(path)}`,
    ...(before === null ? [] : [`    - ${plain(before)}`]),
    ...(after === null ? [] : [`    + ${plain(after)}`]),
  ]);
  return [head, ...lines].join("\n");
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
