import { giveWayAfter } from "../../model/time/yield_to_loop.ts";
import { CALL_VALUES_MAX, holdsMoreValues } from "../../rpc/json_depth.ts";
import { checkArguments } from "../values/check_arguments.ts";
import type { CheckedCall, FoundCall, Step } from "./passage.ts";
import { tooManyValues } from "./refusals.ts";
import { refuse } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";

/** Checks the arguments of a call against the gate's own bounds and the tool's schema. */
export async function checkCall(
  deps: Pick<CallToolDeps, "now" | "audit" | "formats">,
  found: FoundCall,
): Promise<Step<CheckedCall>> {
  const { call, context, tool } = found;
  if (holdsMoreValues(call.args, CALL_VALUES_MAX)) {
    const argsText = JSON.stringify(`more than ${CALL_VALUES_MAX} values`);
    return refuse(deps, found, { error: tooManyValues(tool), argsText });
  }
  const given = call.args ?? {};
  const argsText = JSON.stringify(given);
  await giveWayAfter(Buffer.byteLength(argsText));
  const checkedFrom = deps.now();
  const { formats } = deps;
  const rules = { limits: context.limits, ...(formats === undefined ? {} : { formats }) };
  const { args, error } = checkArguments(rules, tool, given, argsText);
  return error === null
    ? { ...found, args, argsText, checkedFrom }
    : refuse(deps, found, { error, argsText });
}
