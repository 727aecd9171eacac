import type { Tool as McpTool } from "@modelcontextprotocol/server";
import { z } from "zod";
import { GateError } from "../model/errors.ts";
import { listSchema } from "../model/list_schema.ts";

/** Input of the `search` tool. */
export const SearchInputSchema = z.strictObject({
  /** The ranking reads only the first 4,000 characters. */
  query: z.string().max(20_000).default(""),
  limit: z.int().min(1).max(50).optional(),
  detail: z.enum(["names", "signatures", "full"]).optional(),
  server: z.string().max(200).optional(),
  names: listSchema(z.string().max(300), 50).optional(),
});
export type SearchInput = z.infer<typeof SearchInputSchema>;

/** Input of the `execute` tool. */
export const ExecuteInputSchema = z.strictObject({
  code: z.string().optional(),
  timeoutMs: z.int().min(1).optional(),
  dryRun: z.boolean().optional(),
  resume: z.string().max(200).optional(),
});
export type ExecuteInput = z.infer<typeof ExecuteInputSchema>;

/**
 * The program to run.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` without code; `ERR_NOT_FOUND` for `resume`, because a
 *   request to resume must not run its code as a new program.
 */
export function codeOf({ code, resume }: ExecuteInput): string {
  if (resume !== undefined) {
    throw new GateError("ERR_NOT_FOUND", `No execution waits as "${resume.slice(0, 100)}"`, {
      hint: "Approvals cannot be given here yet; leave out resume and send the program as code",
    });
  }
  if (code !== undefined) return code;
  throw new GateError("ERR_BAD_REQUEST", "Cannot execute: there is no code", {
    hint: "Pass the TypeScript program as code",
  });
}

/**
 * The two tools that an agent sees. Every word costs tokens in each conversation, so the schemas
 * are written by hand and the descriptions say only what a model cannot guess.
 */
export const SEARCH_TOOL: McpTool = {
  name: "search",
  title: "Search tools",
  description:
    "Find tools by what they do, in plain words. Answers with TypeScript declarations for use in execute. `names` gives full docs of exact tools; an empty query lists servers.",
  inputSchema: {
    type: "object",
    properties: {
      query: { type: "string" },
      limit: { type: "integer", minimum: 1, maximum: 50 },
      detail: { enum: ["names", "signatures", "full"] },
      server: { type: "string" },
      names: { type: "array", items: { type: "string" } },
    },
    required: ["query"],
  },
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
};

const EXECUTE_DESCRIPTION =
  "Run a TypeScript program: `await tools.server.tool({...})`, then `return` a small result; only that comes back. Search for the declarations first. Join, filter and loop in code; Promise.all for independent calls; a failed call throws {code, message, hint}. No imports, network or files. dryRun plans writes instead of making them.";

/** @param inline declarations of a small catalog; empty for a large one. */
export function executeTool(inline: string): McpTool {
  return {
    name: "execute",
    title: "Run a program over tools",
    description: inline === "" ? EXECUTE_DESCRIPTION : `${EXECUTE_DESCRIPTION}\n\n${inline}`,
    inputSchema: {
      type: "object",
      properties: {
        code: { type: "string" },
        timeoutMs: { type: "integer" },
        dryRun: { type: "boolean" },
        resume: { type: "string" },
      },
      required: ["code"],
    },
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  };
}
