import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { oneOf } from "../one_of.ts";

const DETAILS = ["names", "signatures", "full"] as const;

export const searchCommand: Command = {
  name: "search",
  summary: "Find tools, as agents do with the MCP tool search",
  positionals: "QUERY",
  count: [1, 50],
  options: {
    space: { value: "S", about: "Space to search in" },
    limit: { value: "N", about: "Most hits, 1 to 50" },
    detail: { value: "D", about: "names, signatures or full" },
    server: { value: "NAME", about: "Only tools of this upstream" },
  },
  examples: [
    'toolgate search "refund an order"',
    'toolgate search "list dns records" --limit 3 --detail full',
    "toolgate search orders.list --json",
  ],
  async run(context) {
    const body = {
      query: context.positionals.join(" "),
      limit: context.integer("limit", 1, 50),
      detail: oneOf(context, "detail", DETAILS),
      server: context.text("server"),
      space: context.text("space"),
    };
    const client = await context.connect();
    const answer = await client.call("POST /search", { body });
    if (context.json) context.output.json(answer);
    else {
      context.output.result(answer.declarations);
      context.output.note(`${answer.hits.length} of ${answer.total} matching tools`);
    }
    return EXIT.ok;
  },
};
