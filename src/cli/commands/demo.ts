import { loadConfig } from "../../config/load_config.ts";
import type { ApiClient } from "../api_client.ts";
import { renderRecords } from "../audit_lines.ts";
import type { Command, CommandContext } from "../command.ts";
import { openInProcess } from "../connect.ts";
import { EXIT } from "../exit_code.ts";
import { createLog } from "../log.ts";

const QUERY = "list orders and their customers";

/** Joins two servers: thousands of rows stay in the sandbox, three come back. */
const JOIN_PROGRAM = `
const orders = await tools.orders.list({ since: "2026-04-01" });
const customers = await tools.customers.batchGet({ ids: orders.map((o) => o.customerId) });
return orders.map((o) => ({ ...o, customer: customers[o.customerId] })).filter((o) => o.total > 100).slice(0, 3);
`.trim();

/** Makes a call whose arguments the demo's policy denies. */
const DENIED_PROGRAM = `
return await tools.orders.update({ id: "ord-00001", status: "cancelled" });
`.trim();

export const demoCommand: Command = {
  name: "demo",
  summary: "Search, run a program and be denied once, against the embedded demo",
  examples: ["toolgate demo", "toolgate demo --json"],
  async run(context) {
    const folder = await context.deps.makeTempDir();
    try {
      const client = await openDemo(context, folder);
      try {
        return await show(context, client);
      } finally {
        await client.close();
      }
    } finally {
      await context.deps.removeDir(folder);
    }
  },
};

/**
 * Opens the demo in this process and ignores a configuration in the folder. The demo's store is
 * temporary; with `--config` it uses the store, sandbox and limits of that configuration.
 */
async function openDemo(context: CommandContext, folder: string): Promise<ApiClient> {
  const { deps } = context;
  const demo = await loadConfig(undefined, {
    env: () => undefined,
    cwd: () => folder,
    readTextFile: deps.readTextFile,
  });
  const own = context.text("config") === undefined ? null : (await context.loadConfig()).config;
  const config = own === null
    ? demo.config
    : { ...demo.config, store: own.store, sandbox: own.sandbox, limits: own.limits };
  return await openInProcess(deps, { ...demo, config }, createLog(deps, "warn"));
}

async function show(context: CommandContext, client: ApiClient): Promise<number> {
  const { output } = context;
  const found = await client.call("POST /search", { body: { query: QUERY } });
  const execute = (code: string) => client.call("POST /execute", { body: { code } });
  const joined = await execute(JOIN_PROGRAM);
  const denied = await execute(DENIED_PROGRAM);
  const { records } = await client.call("GET /audit", { query: { limit: 100 } });
  const isGood = joined.status === "ok" && denied.status === "denied";
  if (context.json) output.json({ search: found, joined, denied, records: records.toReversed() });
  else {
    output.result(`$ search ${JSON.stringify(QUERY)}\n\n${found.declarations}\n\n`);
    output.result(
      `$ execute\n\n${indent(JOIN_PROGRAM)}\n\n${JSON.stringify(joined.result, null, 2)}\n`,
    );
    output.result(
      `${joined.usage.toolCalls} calls, ${joined.usage.bytesKeptOut} bytes kept out of the context\n`,
    );
    output.result(`$ execute\n\n${indent(DENIED_PROGRAM)}\n\n`);
    output.result(
      `${denied.status}: ${denied.error?.message ?? ""}\n  ${denied.error?.hint ?? ""}\n`,
    );
    output.result(`$ audit\n\n${renderRecords(records.toReversed())}`);
  }
  if (!isGood) output.note(`The demo failed: ${joined.status}, ${denied.status}`);
  return isGood ? EXIT.ok : EXIT.failed;
}

function indent(program: string): string {
  return program.split("\n").map((line) => `  ${line}`).join("\n");
}
