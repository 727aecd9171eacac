import type { Principal } from "../model/principal.ts";

/** The sender of an MCP request and its space. The HTTP edge makes it from verified facts. */
export interface McpCaller {
  readonly principal: Principal;
  readonly space: string;
}

/** The space of `/mcp`. */
export const DEFAULT_SPACE = "default";
