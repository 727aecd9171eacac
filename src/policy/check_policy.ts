import type { Tool } from "../model/tool.ts";
import type { ToolClasses } from "./classify.ts";
import type { PolicyDocument } from "./policy_document.ts";
import type { PolicyProblem } from "./policy_error.ts";

/** Holds a policy against the tools that there are. */
export function checkPolicy(
  _document: PolicyDocument,
  _classes: ToolClasses,
  _tools: readonly Tool[],
): PolicyProblem[] {
  return [];
}
