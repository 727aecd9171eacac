import type { SandboxProgram } from "../sandbox/sandbox_pool.ts";
import type { CatalogView } from "./catalog_view.ts";

const NAMES_MAX = 1_000;

/** Names by server, for a program that lists them; none when they would cost more than they help. */
export function programNames(view: CatalogView): SandboxProgram["names"] {
  if (view.tools.length > NAMES_MAX) return null;
  const byServer = Map.groupBy(view.tools, (tool) => tool.serverIdentifier);
  return [...byServer].map(([server, tools]) => ({
    server,
    tools: tools.map((tool) => tool.identifier),
  }));
}
