import type { Principal } from "../model/principal.ts";
import { GateError, reportError } from "../model/errors.ts";
import type { CallReply, SandboxCall } from "../sandbox/call_lane.ts";
import type { SandboxProgram } from "../sandbox/sandbox_pool.ts";
import type { SearchAnswer, SearchRequest } from "../search/search_index.ts";
import type { ExecutionContext } from "./execution_context.ts";

/** How a program finds tools by itself: `tools.$search(query)` and `tools.$describe(name)`. */
export interface ProgramDiscovery {
  /** Names for `Object.keys(tools)`; null when there are too many to send along. */
  names(principal: Principal, space: string): SandboxProgram["names"];
  answer(context: ExecutionContext, call: SandboxCall): Promise<CallReply>;
}

export interface ProgramDiscoveryDeps {
  readonly names: (principal: Principal, space: string) => SandboxProgram["names"];
  readonly search: (
    principal: Principal,
    space: string,
    request: SearchRequest,
  ) => Promise<SearchAnswer>;
}

export function createProgramDiscovery(deps: ProgramDiscoveryDeps): ProgramDiscovery {
  return {
    names: deps.names,
    async answer(context, call) {
      try {
        const request = requestOf(call);
        const found = await deps.search(context.principal, context.space, request);
        const value = call.tool === "$describe" ? found.declarations : found.hits;
        return { ok: true, json: JSON.stringify(value) };
      } catch (error) {
        return { ok: false, error: { ...reportError(error), tool: call.tool.slice(0, 100) } };
      }
    },
  };
}

function requestOf(call: SandboxCall): SearchRequest {
  const [words] = Array.isArray(call.args) ? call.args : [call.args];
  if (call.tool === "$search") {
    if (typeof words === "string") return { query: words, detail: "signatures" };
    if (typeof words === "object" && words !== null && typeof words.query === "string") {
      const limit = Number.isInteger(words.limit)
        ? Math.min(50, Math.max(1, words.limit))
        : undefined;
      return {
        query: words.query,
        detail: "signatures",
        ...(limit === undefined ? {} : { limit }),
      };
    }
    throw badArgument("$search", "a text", 'tools.$search("read a file")');
  }
  if (call.tool === "$describe") {
    const names = Array.isArray(words) ? words : [words];
    if (names.every((name) => typeof name === "string") && names.length > 0) {
      return { query: "", names: names.slice(0, 50) };
    }
    throw badArgument("$describe", "a tool's name", 'tools.$describe("files.read_text_file")');
  }
  throw new GateError("ERR_TOOL_NOT_FOUND", `"tools.${call.tool.slice(0, 100)}" does not exist`, {
    hint: "There are tools.$search(query) and tools.$describe(name)",
  });
}

function badArgument(name: string, expected: string, example: string): GateError {
  return new GateError("ERR_INVALID_ARGUMENTS", `tools.${name} takes ${expected}`, {
    hint: `For example: await ${example}`,
  });
}
