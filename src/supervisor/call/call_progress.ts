import type { CallProgress } from "../../model/upstream.ts";
import type { Policy } from "../../policy/policy.ts";

type OnProgress = (progress: CallProgress) => void;

/** Drops progress messages where the policy redacts results: they may hold the same secrets. */
export function progressListener(
  policy: Policy,
  onProgress: OnProgress | undefined,
): { readonly onProgress?: OnProgress } {
  if (onProgress === undefined) return {};
  if (policy.output.redact.length === 0) return { onProgress };
  return { onProgress: ({ message: _, ...numbers }) => onProgress(numbers) };
}
