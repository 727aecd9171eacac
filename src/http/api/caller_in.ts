import { z } from "zod";
import type { McpCaller } from "../../mcp/caller.ts";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import { DEFAULT_SPACE } from "../../model/space.ts";

/** The field of every query and body that names a space. */
export const SPACE = { space: z.string().default(DEFAULT_SPACE) };

/**
 * @throws {GateError} `ERR_NOT_FOUND` for a space that the principal may not enter, as if it did
 * not exist.
 */
export function callerIn(
  deps: { readonly canEnter: (principal: Principal, space: string) => boolean },
  principal: Principal,
  space: string,
): McpCaller {
  if (deps.canEnter(principal, space)) return { principal, space };
  throw new GateError("ERR_NOT_FOUND", `Space "${space.slice(0, 100)}" does not exist`, {
    hint: "Name a space that the policy opens to you",
  });
}
