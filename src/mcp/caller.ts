import type { Principal } from "../model/principal.ts";

/** Who sends an MCP request, to which space. Made by the HTTP edge from verified facts. */
export interface McpCaller {
  readonly principal: Principal;
  readonly space: string;
}

/** The space of `/mcp`. */
export const DEFAULT_SPACE = "default";
