import type { DecisionRequest } from "../../src/model/decision.ts";
import type { Tool } from "../../src/model/tool.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy, type Policy } from "../../src/policy/policy.ts";
import { makePrincipal } from "./sample_tools.ts";

/** All classes of access, as a rule lists them. */
export const EVERYTHING = "[read, write, destructive]";

/** A policy of one or more files, each without its first two lines. */
export function compile(text: string, ...more: string[]): Policy {
  const texts = [text, ...more].map((body, index) => ({
    path: `p${index}.yaml`,
    text: `version: 1\nname: n${index}\n${body}`,
  }));
  return compilePolicy(parsePolicy(texts), []).policy;
}

/** A call of nobody in particular. */
export function request(tool: Tool, more: Partial<DecisionRequest> = {}): DecisionRequest {
  return {
    principal: makePrincipal(),
    space: "default",
    tool,
    args: {},
    execution: { tainted: false, sources: [] },
    ...more,
  };
}
