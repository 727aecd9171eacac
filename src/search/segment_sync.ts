import type { CatalogSnapshot, ServerState } from "../model/catalog.ts";
import type { Tool } from "../model/tool.ts";
import type { ToolStore } from "./tool_store.ts";

/** Updates the store from the catalog's snapshot, one server at a time. */
export interface SegmentSync {
  /** Resolves when the store holds the tools of the present snapshot. */
  sync(): Promise<void>;
}

interface Indexed {
  readonly tools: readonly Tool[];
  readonly state: ServerState | undefined;
}

export function createSegmentSync(store: ToolStore, snapshot: () => CatalogSnapshot): SegmentSync {
  const indexed = new Map<string, Indexed>();
  let done: CatalogSnapshot | null = null;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    for (let wanted = snapshot(); wanted !== done; wanted = snapshot()) {
      const byServer = Map.groupBy(wanted.tools.values(), (tool) => tool.server);
      for (const server of indexed.keys()) {
        if (byServer.has(server)) continue;
        store.drop(server);
        indexed.delete(server);
      }
      for (const [server, tools] of byServer) {
        const state = wanted.servers.get(server);
        if (isSame(indexed.get(server), { tools, state })) continue;
        await store.replace(server, tools, wanted.servers);
        indexed.set(server, { tools, state });
      }
      done = wanted;
    }
  }

  return {
    sync() {
      if (snapshot() === done) return Promise.resolve();
      running ??= run().finally(() => running = null);
      return running;
    },
  };
}

/** Whether two listings make the same postings. */
function isSame(before: Indexed | undefined, after: Indexed): boolean {
  return before !== undefined && before.tools.length === after.tools.length &&
    before.state?.title === after.state?.title &&
    before.state?.description === after.state?.description &&
    before.tools.every((tool, index) => isSameTool(tool, after.tools[index]));
}

function isSameTool(before: Tool, after: Tool | undefined): boolean {
  return before === after ||
    (after !== undefined && before.id === after.id && before.pin === after.pin &&
      before.aliases?.join("\n") === after.aliases?.join("\n"));
}
