import type { Tool as McpTool } from "@modelcontextprotocol/server";
import type { AuditLog } from "../audit/audit_log.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import type { Policy } from "../policy/policy.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";
import { eventOrigin } from "../supervisor/event_origin.ts";
import { createDefinitionCounter } from "../usage/definition_tokens.ts";
import type { McpCaller } from "./caller.ts";
import { classicDefinition } from "./classic_tools.ts";
import type { McpExchange } from "./exchange.ts";

/** Records the token cost of a list of tools, and the cost that all definitions would have had. */
export interface ListingMeter {
  /** Returns at once; counts and records in the background. */
  listed(caller: McpCaller, tools: readonly McpTool[], exchange: McpExchange): void;
  /** Resolves when every list so far is recorded. */
  settled(): Promise<void>;
}

export interface ListingMeterDeps {
  readonly audit: Pick<AuditLog, "append">;
  readonly policy: () => Policy;
  readonly view: (principal: Principal, space: string) => CatalogView;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
  readonly log: Log;
}

export function createListingMeter(deps: ListingMeterDeps): ListingMeter {
  const definitions = createDefinitionCounter<Tool>({
    render: (tool) =>
      JSON.stringify(classicDefinition(tool.name, tool, { access: "read", effect: "allow" })),
    countTokens: deps.countTokens,
  });
  const listings = createDefinitionCounter<McpTool>({
    render: (tool) => JSON.stringify(tool),
    countTokens: deps.countTokens,
  });
  const pending = new Set<Promise<unknown>>();

  async function record(caller: McpCaller, tools: readonly McpTool[], exchange: McpExchange) {
    const visible = deps.view(caller.principal, caller.space).tools;
    const tokensDefinitions = await definitions.count(visible);
    const tokensReturned = await listings.count(tools);
    await deps.audit.append({
      kind: "search",
      ...eventOrigin({ ...caller, ...exchange }, deps.policy()),
      result: { status: "ok" },
      detail: {
        type: "tools.list",
        tools: tools.length,
        tokensReturned,
        definitions: visible.length,
        tokensDefinitions,
      },
    });
  }

  return {
    listed(caller, tools, exchange) {
      const recording = record(caller, tools, exchange).catch((error) => {
        deps.log("warn", "Cannot record a list of tools", { cause: `${error}` });
      }).finally(() => pending.delete(recording));
      pending.add(recording);
    },
    async settled() {
      await Promise.all(pending);
    },
  };
}
