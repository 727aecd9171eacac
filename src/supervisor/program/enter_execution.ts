import type { ExecutionResult } from "../../model/execution.ts";
import type { Drain } from "../drain.ts";
import type { Origin } from "../event_origin.ts";
import { execute, type ExecuteDeps } from "./execute.ts";
import type { ExecuteRequest } from "./execution_request.ts";

export interface EnterExecutionDeps extends ExecuteDeps {
  /** Refuses a caller whose budget is used up. */
  readonly admit: (caller: Pick<Origin, "principal" | "space">) => Promise<void>;
  /** Resolves when there is a catalog. */
  readonly ready: () => Promise<unknown>;
  readonly drain: Pick<Drain, "track">;
}

/**
 * Runs a program within the caller's budget and until the service closes; awaits the catalog.
 *
 * @throws {GateError} `ERR_LIMIT_REACHED`, `ERR_BUSY`, and what `execute` throws.
 */
export async function enterExecution(
  deps: EnterExecutionDeps,
  request: ExecuteRequest,
): Promise<ExecutionResult> {
  await deps.admit(request);
  await deps.ready();
  return await deps.drain.track((stopping) =>
    execute(deps, { ...request, signal: AbortSignal.any([request.signal, stopping]) })
  );
}
