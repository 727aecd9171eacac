import type { Tool } from "../model/tool.ts";
import { compileGlob, type TextMatcher } from "../model/glob.ts";

/** The names that a pattern is compared with. */
export type ToolName = Pick<Tool, "server" | "name" | "serverIdentifier" | "identifier">;

export interface ToolPattern {
  readonly text: string;
  /** Server part without a star, so that rules can be indexed by it; null matches many servers. */
  readonly server: string | null;
  readonly matches: (tool: ToolName) => boolean;
}

/**
 * Compiles `server.tool`, where `*` stands for any text in either part.
 *
 * Each part may use the upstream's own spelling or the identifier spelling of programs. The server
 * ends at the first dot. For a server with a dot in its name, write the complete name or its
 * identifier.
 */
export function compileToolPattern(text: string): ToolPattern {
  const dot = text.indexOf(".");
  if (dot < 0) return compileParts(text, text, "*");
  const pattern = compileParts(text, text.slice(0, dot), text.slice(dot + 1));
  if (!text.slice(dot + 1).includes(".")) return pattern;
  return {
    text,
    server: null,
    matches: (tool) => pattern.matches(tool) || matchesDottedServer(text, tool),
  };
}

/** A matcher for names inside one server: `get_*`. */
export function compileNamePattern(text: string): (tool: ToolName) => boolean {
  const isName = compileGlob(text);
  return (tool) => isName(tool.name) || isName(tool.identifier);
}

function compileParts(text: string, serverPart: string, namePart: string): ToolPattern {
  const isServer: TextMatcher = compileGlob(serverPart);
  const isName = compileNamePattern(namePart);
  return {
    text,
    server: serverPart.includes("*") ? null : serverPart,
    matches: (tool) => (isServer(tool.server) || isServer(tool.serverIdentifier)) && isName(tool),
  };
}

function matchesDottedServer(text: string, tool: ToolName): boolean {
  if (!tool.server.includes(".") || !text.startsWith(`${tool.server}.`)) return false;
  return compileNamePattern(text.slice(tool.server.length + 1))(tool);
}
