/**
 * Runs toolgate's upstream side as the client of the MCP conformance suite: lists a server, calls
 * every tool, reads every resource and prompt.
 *
 * Run: `conformance client --command "deno run -A tests/fakes/conformance_client.ts" --scenario NAME`.
 * Scenarios about logins and about answers on behalf of a person do not apply: toolgate has its own
 * credentials and never accepts anything for a person.
 */
import { callOf, openTestUpstreams } from "./upstream_parts.ts";

interface Definition {
  readonly name: string;
  readonly inputSchema?: {
    readonly $defs?: unknown;
    readonly properties?: { readonly [name: string]: { readonly type?: string } };
  };
}

const context = JSON.parse(Deno.env.get("MCP_CONFORMANCE_CONTEXT") ?? "{}");
await using upstreams = openTestUpstreams({
  mcpServers: { suite: { url: Deno.args.at(-1), timeoutMs: 15_000 } },
});
const listing = await upstreams.list("suite");
const tools = listing.tools as readonly Definition[];

/** A sample value for a type; for a schema argument, one of the listed schemas. */
function sample(name: string, type: string | undefined): unknown {
  const schema = tools.find(({ inputSchema }) => inputSchema?.$defs !== undefined)?.inputSchema;
  if (type === "object") return name === "schema" ? schema : {};
  return type === "number" || type === "integer" ? 5 : type === "boolean" ? true : "x";
}

const calls: readonly { name: string; arguments: { [name: string]: unknown } }[] =
  context.toolCalls ?? tools.map((tool) => ({
    name: tool.name,
    arguments: Object.fromEntries(
      Object.entries(tool.inputSchema?.properties ?? {})
        .map(([name, { type }]) => [name, sample(name, type)]),
    ),
  }));
const work = [
  ...calls.map((call) => callOf("suite", call.name, call.arguments)),
  ...(listing.resources as Definition[]).map(({ name }) =>
    callOf("suite", name, {}, { kind: "resource" })
  ),
  ...(listing.prompts as Definition[]).map(({ name }) =>
    callOf("suite", name, {}, { kind: "prompt" })
  ),
];
for (const call of work) {
  await upstreams.call(call).catch((error) => console.error(call.name, error.code, error.message));
}
