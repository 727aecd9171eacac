import type { QuarantinedTool } from "../../model/catalog.ts";
import type { Decision } from "../../model/decision.ts";
import { GateError } from "../../model/errors.ts";
import type { Tool } from "../../model/tool.ts";
import { CALL_VALUES_MAX } from "../../rpc/json_depth.ts";

/** The error for a call that a rule, or the lack of one, denies. */
export function policyDenied(tool: Tool, decision: Decision): GateError {
  const rules = decision.because.join(", ");
  const message = decision.message === "" ? "" : `: ${decision.message}`;
  return new GateError("ERR_POLICY_DENIED", `Policy denies "${tool.id}" (${rules})${message}`, {
    hint: decision.message === ""
      ? `Rule ${rules} decided; use other arguments or another tool, or ask the operator`
      : decision.message,
    tool: tool.id,
  });
}

/** The error for a call that a person must approve. */
export function approvalRequired(tool: Tool, decision: Decision): GateError {
  const by = decision.approval?.by ?? "a person";
  const message = decision.message === "" ? "" : `: ${decision.message}`;
  return new GateError(
    "ERR_APPROVAL_REQUIRED",
    `Calling "${tool.id}" needs the approval of ${by} (${decision.because.join(", ")})${message}`,
    {
      hint:
        "Approvals cannot be given here yet: leave this call out, or ask the operator for a rule that allows it",
      tool: tool.id,
    },
  );
}

/** The error for callers who can repair the tool; for all others the tool does not exist. */
export function toolUnavailable({ server, name, reason, detail }: QuarantinedTool): GateError {
  const remedy = reason === "malformed" || reason === "collision"
    ? "Its server has to correct it"
    : 'See "toolgate tools diff", then "tools approve"';
  return new GateError(
    "ERR_TOOL_UNAVAILABLE",
    `Tool "${server}.${name}" is unavailable: ${reason}`,
    { hint: `${detail}. ${remedy}` },
  );
}

export function tooManyValues(tool: Tool): GateError {
  return new GateError(
    "ERR_INVALID_ARGUMENTS",
    `Cannot call "${tool.id}": the arguments have more than ${CALL_VALUES_MAX} values`,
    { hint: "Send less at once, or in several calls", tool: tool.id },
  );
}
