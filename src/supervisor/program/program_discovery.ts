import type { CatalogSnapshot } from "../../model/catalog.ts";
import { GateError, reportError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { SearchAnswer, SearchRequest } from "../../model/search.ts";
import type { Tool } from "../../model/tool.ts";
import type { SandboxProgram } from "../../sandbox/pool/waiting_program.ts";
import type { CallReply, SandboxCall } from "../../sandbox/run/sandbox_call.ts";
import { meantTools } from "../call/meant_tools.ts";
import { CALL_FORM, writeInstead } from "../call/name_hint.ts";
import type { CatalogView } from "../catalog_view.ts";
import type { ExecutionContext } from "../execution_context.ts";
import type { SearchEnd } from "../search_event.ts";
import { programNames } from "./program_names.ts";

/** Lets a program find tools itself: `tools.$search(query)` and `tools.$describe(name)`. */
export interface ProgramDiscovery {
  /**
   * Names for `Object.keys(tools)`; null when there are many and the program cannot ask for them.
   */
  names(principal: Principal, space: string, code: string): SandboxProgram["names"];
  answer(context: ExecutionContext, call: SandboxCall): Promise<DiscoveryAnswer>;
  /** The tools that the program may have meant by an unknown name. */
  meant(context: ExecutionContext, name: string): readonly Tool[];
}

/** The reply for the program, and the end of the search for its audit record. */
export interface DiscoveryAnswer {
  readonly reply: CallReply;
  readonly end: SearchEnd;
}

export interface ProgramDiscoveryDeps {
  readonly snapshot: () => CatalogSnapshot;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly search: (
    context: Pick<ExecutionContext, "principal" | "space">,
    request: SearchRequest,
  ) => Promise<SearchAnswer>;
}

export function createProgramDiscovery(deps: ProgramDiscoveryDeps): ProgramDiscovery {
  return {
    names: (principal, space, code) => programNames(deps.view(principal, space), code),
    meant: (context, name) => meant(deps, context, name),
    async answer(context, call) {
      try {
        if (!call.tool.startsWith("$")) throw notATool(deps, context, call);
        const answer = await deps.search(context, requestOf(call));
        const value = call.tool === "$describe" ? answer.declarations : answer.hits;
        return { reply: { ok: true, json: JSON.stringify(value) }, end: { ok: true, answer } };
      } catch (thrown) {
        const error = { ...reportError(thrown), tool: call.tool.slice(0, 100) };
        return { reply: { ok: false, error }, end: { ok: false, error } };
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

const FINDERS = new Set("search find searchTools search_tools findTools find_tools".split(" "));
const DESCRIBERS = new Set(
  "describe help schema describeTool describe_tool getTool get_tool getToolSchema get_tool_schema"
    .split(" "),
);
const LISTERS = new Set("list listTools list_tools tools keys all getTools get_tools".split(" "));
const TOOLS_SHOWN_MAX = 5;

function meant(
  { snapshot, view }: ProgramDiscoveryDeps,
  { principal, space }: ExecutionContext,
  name: string,
): readonly Tool[] {
  const { visible } = view(principal, space);
  return meantTools(snapshot(), name, (tool) => visible(tool) !== null);
}

/** The error for `tools.name(…)`, which is neither a tool nor a discovery function. */
function notATool(
  deps: ProgramDiscoveryDeps,
  context: ExecutionContext,
  call: SandboxCall,
): GateError {
  const name = call.tool.slice(0, 100);
  const refuse = (message: string, hint: string) =>
    new GateError("ERR_TOOL_NOT_FOUND", message, { hint, tool: name });
  const { tools: visible } = deps.view(context.principal, context.space);
  const own = visible.filter((tool) =>
    tool.serverIdentifier === call.tool || tool.server === call.tool
  );
  if (own.length > 0) {
    const shown = own.slice(0, TOOLS_SHOWN_MAX).map(({ id }) => `tools.${id}(args)`).join(", ");
    const more = own.length > TOOLS_SHOWN_MAX ? ", …" : "";
    return refuse(`"${name}" is a server, not a tool`, `Call one of its tools: ${shown}${more}.`);
  }
  const [about] = Array.isArray(call.args) ? call.args : [];
  const missing = `There is no server "${name}"`;
  if (FINDERS.has(name)) return refuse(missing, "Write tools.$search(query).");
  if (DESCRIBERS.has(name)) return refuse(missing, 'Write tools.$describe("<server>.<tool>").');
  if (LISTERS.has(name)) {
    return refuse(missing, "Write Object.keys(tools), or tools.$search(query) to find one.");
  }
  for (const word of [about, call.tool]) {
    const tools = typeof word === "string" ? meant(deps, context, word) : [];
    if (tools.length > 0) return refuse(missing, writeInstead(tools));
  }
  return refuse(missing, CALL_FORM);
}

function badArgument(name: string, expected: string, example: string): GateError {
  return new GateError("ERR_INVALID_ARGUMENTS", `tools.${name} takes ${expected}`, {
    hint: `For example: await ${example}`,
  });
}
