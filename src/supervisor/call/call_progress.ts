import type { CallProgress } from "../../model/upstream.ts";
import type { Policy } from "../../policy/policy.ts";

type OnProgress = (progress: CallProgress) => void;

/** Where results are redacted, the upstream's words on its progress do not pass either. */
export function progressListener(
  policy: Policy,
  onProgress: OnProgress | undefined,
): { readonly onProgress?: OnProgress } {
  if (onProgress === undefined) return {};
  if (policy.output.redact.length === 0) return { onProgress };
  return { onProgress: ({ message: _, ...numbers }) => onProgress(numbers) };
}
