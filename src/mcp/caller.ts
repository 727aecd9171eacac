import type { Principal } from "../model/principal.ts";

/** The sender of an MCP request and its space. The HTTP edge makes it from verified facts. */
export interface McpCaller {
  readonly principal: Principal;
  readonly space: string;
}
