import type { UpstreamAnswer, UpstreamCall } from "../../model/upstream.ts";
import type { Upstream } from "../upstream.ts";
import { badResult, cancelled, isTooLarge } from "../upstream_errors.ts";
import { calendarTools } from "./demo_calendar.ts";
import { customersTools } from "./demo_customers.ts";
import { invoicesTools } from "./demo_invoices.ts";
import { ordersTools } from "./demo_orders.ts";
import { createDemoRows } from "./demo_rows.ts";
import { type DemoTool, DemoToolError } from "./demo_tool.ts";

/**
 * The built-in servers: a made-up shop in memory that needs nothing outside the process. Changes by
 * tools last until the service stops.
 */
export function createDemoUpstreams(): ReadonlyMap<string, Upstream> {
  const rows = createDemoRows();
  return new Map([
    ["customers", demoServer("Customers of a made-up shop", customersTools(rows))],
    ["orders", demoServer("Orders of a made-up shop", ordersTools(rows))],
    ["invoices", demoServer("Invoices of a made-up shop", invoicesTools(rows))],
    ["calendar", demoServer("Calendar of a made-up shop", calendarTools(rows))],
  ]);
}

function demoServer(title: string, tools: readonly DemoTool[]): Upstream {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const listing = {
    title,
    identity: "demo",
    tools: tools.map(({ run: _, ...definition }) => definition),
    resources: [],
    prompts: [],
    skipped: [],
  };
  return {
    identity: listing.identity,
    list: () => Promise.resolve(structuredClone(listing)),
    call: (call) => Promise.try(() => runTool(byName.get(call.name), call)),
    status: () => ({ status: "ready", error: null }),
    close: () => Promise.resolve(),
  };
}

function runTool(tool: DemoTool | undefined, call: UpstreamCall): UpstreamAnswer {
  if (call.signal.aborted) throw cancelled(call);
  if (tool === undefined) throw badResult(call, "the server has no such tool");
  try {
    const structuredContent = tool.run(call.args);
    const text = JSON.stringify(structuredContent);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > call.resultBytesMax) throw isTooLarge(call, bytes, call.resultBytesMax);
    return answer([{ type: "text", text }], false, bytes, structuredContent);
  } catch (error) {
    if (!(error instanceof DemoToolError)) throw error;
    return answer([{ type: "text", text: error.message }], true, error.message.length);
  }
}

function answer(
  content: readonly unknown[],
  isError: boolean,
  bytes: number,
  structuredContent?: unknown,
): UpstreamAnswer {
  return {
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    isError,
    bytes,
    credential: "none",
  };
}
