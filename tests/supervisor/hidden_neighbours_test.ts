import assert from "node:assert/strict";
import type { CatalogSnapshot } from "../../src/model/catalog.ts";
import type { Tool } from "../../src/model/tool.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { toolNotFound } from "../../src/supervisor/call/tool_not_found.ts";
import { createPreflight } from "../../src/supervisor/program/preflight.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";

/** Only the server `payments` is open; everything else is nearer to what is asked for. */
const OPEN = [makeTool("payments", "refund_it"), makeTool("payments", "get")];
const HIDDEN = [
  makeTool("payment", "refund"),
  ...Array.from({ length: 30 }, (_, index) => makeTool("payment", `refund${index}`)),
];
const POLICY = `
version: 1
name: p
tools: { "*": { read: ["*"] } }
rules: [{ id: open, allow: read, tools: [payments.*] }]
`;
const { policy } = compilePolicy(parsePolicy([{ path: "p.yaml", text: POLICY }]), []);
const principal = makePrincipal();
const isVisible = (tool: Tool) => policy.visibility(principal, "default", tool) !== null;

function snapshotOf(tools: readonly Tool[]): CatalogSnapshot {
  const byId = new Map(tools.map((tool) => [tool.id, tool]));
  return { revision: 1, tools: byId, servers: new Map(), quarantined: [] };
}

/** Without and with the hidden tools. */
const SNAPSHOTS = [snapshotOf(OPEN), snapshotOf([...HIDDEN, ...OPEN])];

Deno.test("hidden tools take no place among the suggestions for a name that does not exist", () => {
  for (
    const [server, tool] of [["payment", "refund"], ["paymnts", "get"], ["payments", "refund"]]
  ) {
    const spelling = { server: server ?? "", tool: tool ?? "" };
    const [without, with_] = SNAPSHOTS.map((snapshot) =>
      toolNotFound(snapshot, spelling, isVisible).hint
    );
    assert.equal(with_, without, `${server}.${tool}`);
  }
  const spelling = { server: "payments", tool: "refund" };
  assert.match(toolNotFound(SNAPSHOTS[1]!, spelling, isVisible).hint, /payments\.refund_it/);
});

Deno.test("hidden tools change nothing of what a program is checked against", async () => {
  const declared = await Promise.all(SNAPSHOTS.map(async (snapshot) => {
    const seen: string[] = [];
    const preflight = createPreflight({
      mode: "block",
      snapshot: () => snapshot,
      policy: () => policy,
      mentionedTools: () => ["payment.refund"],
      looseNames: () => [],
      declareTools: (tools) => tools.map(({ id }) => id).join(" "),
      check: (_code, declarations) => {
        seen.push(declarations);
        return Promise.resolve({ status: "checked" as const, reason: null, findings: [], ms: 0 });
      },
    });
    await preflight.check(principal, "default", "", "hash");
    return seen;
  }));
  assert.deepEqual(declared, [["payments.refund_it"], ["payments.refund_it"]]);
});
