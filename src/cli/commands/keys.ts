import type { Command, CommandGroup } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { renderTable } from "../table.ts";
import { parseSpanMs } from "../time.ts";
import { usageError } from "../usage_error.ts";

const create: Command = {
  name: "create",
  summary: "Make an API key; its secret is shown once",
  options: {
    name: { value: "N", about: "Who it is for (required)" },
    groups: { value: "a,b", about: "Its groups claim, which the policy turns into groups" },
    scopes: {
      value: "s,t",
      about: "search, execute, audit, auditor, approve, admin; default search,execute",
    },
    spaces: { value: "x,y", about: "Spaces it is limited to; default all that the policy opens" },
    expires: { value: "SPAN", about: "Such as 90d or 12h; default never" },
  },
  examples: [
    "toolgate keys create --name ci-bot --groups acme-eng --expires 90d",
    "toolgate keys create --name auditor --scopes audit,auditor --json",
  ],
  async run(context) {
    const name = context.text("name");
    if (name === undefined) {
      throw usageError('"toolgate keys create" needs --name', "Say who the key is for: --name N");
    }
    const expires = context.text("expires");
    const body = {
      name,
      groups: listOf(context.text("groups")),
      scopes: listOf(context.text("scopes")),
      spaces: listOf(context.text("spaces")),
      expiresInMs: expires === undefined ? undefined : parseSpanMs(expires, "--expires"),
    };
    const client = await context.connect();
    const key = await client.call("POST /keys", { body });
    for (const note of key.notes) context.output.note(note);
    if (context.json) context.output.json(key);
    else {
      context.output.result(key.key);
      context.output.note(
        `Key ${key.id} for ${key.name}, ` +
          `${key.expiresAt === null ? "never expires" : `expires ${key.expiresAt}`}. ` +
          "It is shown this once; send it as Authorization: Bearer KEY",
      );
    }
    return EXIT.ok;
  },
};

const list: Command = {
  name: "list",
  summary: "All keys, without their secrets",
  examples: ["toolgate keys list", "toolgate keys list --json"],
  async run(context) {
    const client = await context.connect();
    const { keys } = await client.call("GET /keys");
    if (context.json) context.output.json({ keys });
    else {
      context.output.result(
        renderTable(
          ["ID", "NAME", "GROUPS", "SCOPES", "SPACES", "EXPIRES"],
          keys.map((key) => [
            key.id,
            key.name,
            key.groups.join(","),
            key.scopes.join(","),
            key.spaces?.join(",") ?? "all",
            key.expiresAt ?? "never",
          ]),
        ),
      );
      context.output.note(`${keys.length} ${keys.length === 1 ? "key" : "keys"}`);
    }
    return EXIT.ok;
  },
};

const revoke: Command = {
  name: "revoke",
  summary: "End a key; it is refused from the next request on",
  positionals: "ID",
  count: [1, 1],
  examples: ["toolgate keys revoke 0123456789abcdef"],
  async run(context) {
    const [id = ""] = context.positionals;
    const client = await context.connect();
    const answer = await client.call("DELETE /keys/:id", { params: { id } });
    if (context.json) context.output.json(answer);
    else context.output.note(`Revoked ${id}`);
    return EXIT.ok;
  },
};

export const keysCommands: CommandGroup = {
  name: "keys",
  summary: "API keys",
  commands: [create, list, revoke],
};

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(",").map((part) => part.trim()).filter((part) => part !== "");
}
