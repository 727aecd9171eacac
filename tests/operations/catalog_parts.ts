import type { PinDecision } from "../../src/catalog/decide_pin.ts";
import type { ToolDiff } from "../../src/catalog/diff_definition.ts";
import { PinMismatch } from "../../src/catalog/pin_mismatch.ts";
import type { CatalogSnapshot, QuarantinedTool, ServerState } from "../../src/model/catalog.ts";
import type { Tool } from "../../src/model/tool.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy, type Policy } from "../../src/policy/policy.ts";
import { createCatalogViews } from "../../src/supervisor/catalog_view.ts";
import { makeTool } from "../policy/sample_tools.ts";

const POLICY = `
version: 1
name: shop
groups: { buyers: { claim: groups, has: buyers } }
tools: { shop: { read: [list], write: [pay, burn] }, vault: { read: [open] } }
spaces:
  default: { tools: ["*.*"] }
  till: { for: [buyers], tools: [shop.pay] }
rules:
  - { id: read, allow: read, tools: [shop.*] }
  - { id: pay, allow: write, tools: [shop.pay] }
  - { id: ask, ask: write, tools: [shop.pay], when: args.amount > 10, by: owner }
`;

const TOOLS = [
  makeTool("shop", "list", { pin: "1".repeat(64), description: "Lists." }),
  makeTool("shop", "pay", { pin: "2".repeat(64), description: "Pays." }),
  makeTool("shop", "burn", { pin: "3".repeat(64), description: "Burns." }),
  makeTool("vault", "open", { pin: "4".repeat(64), description: "Opens." }),
];

const WAITING: QuarantinedTool = {
  server: "vault",
  name: "close",
  reason: "pending",
  detail: "New since the first listing",
};

/** A server that is down and says so in its own words. */
function stateOf(server: string): ServerState {
  return {
    server,
    serverIdentifier: server,
    title: server,
    status: "down",
    error: `${server} says: password is hunter2`,
    toolCount: 1,
    listedAt: 1,
    down: { since: 1, retryAt: null, exit: "exit code 1", stderr: ["password is hunter2"] },
  };
}

/** What operations on the catalog work with: two servers, three tools that a policy sorts. */
export function catalogParts(tools: readonly Tool[] = TOOLS) {
  const snapshot: CatalogSnapshot = {
    revision: 1,
    tools: new Map(tools.map((tool) => [tool.id, tool])),
    servers: new Map(["shop", "vault"].map((server) => [server, stateOf(server)])),
    quarantined: [WAITING],
  };
  const decisions: PinDecision[] = [];
  const pinOf = (server: string, name: string) =>
    tools.find((tool) => tool.server === server && tool.name === name)?.pin ?? "5".repeat(64);
  const catalog = {
    snapshot: () => snapshot,
    diff: (server: string, name: string) => diffOf(server, name, pinOf(server, name)),
    decide(decision: PinDecision): Promise<void> {
      const { verb, server, name, pin } = decision;
      const current = pinOf(server, name);
      if (pin !== current) throw new PinMismatch(verb, diffOf(server, name, current));
      decisions.push(decision);
      return Promise.resolve();
    },
  };
  const policy = shopPolicy(tools);
  const current = () => policy;
  return {
    decisions,
    catalog: () => Promise.resolve(catalog),
    policy: { current },
    servers: () => [...snapshot.servers.values()],
    view: createCatalogViews({ snapshot: () => snapshot, policy: current }),
  };
}

export function shopPolicy(tools: readonly Tool[] = TOOLS): Policy {
  return compilePolicy(parsePolicy([{ path: "policy.yaml", text: POLICY }]), tools).policy;
}

function diffOf(server: string, name: string, pin: string): ToolDiff {
  return {
    server,
    name,
    state: "pending",
    change: null,
    changes: [],
    approvedPin: null,
    pin,
    definition: {
      kind: "tool",
      name,
      title: null,
      description: "",
      inputSchema: {},
      outputSchema: null,
      annotations: null,
      server,
      identity: server,
    },
  };
}
