import { GateError } from "../model/errors.ts";
import type { ToolDiff } from "./diff_definition.ts";

/**
 * A decision about a definition that has changed since the operator saw it. Nothing was decided.
 */
export class PinMismatch extends GateError {
  /** The tool's present definition. */
  readonly diff: ToolDiff;

  constructor(verb: "approve" | "block", diff: ToolDiff) {
    super(
      "ERR_CHANGED",
      `Cannot ${verb} "${diff.server}.${diff.name}": it is not what was shown, its pin is now ${diff.pin}`,
      {
        hint: "Nothing was decided. Read what it is now, then decide with the new pin",
        tool: `${diff.server}.${diff.name}`,
      },
    );
    this.diff = diff;
  }
}
