import { GateError } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";

/** A mistake in the command line itself; ends with exit code 2. */
export function usageError(message: string, hint: string): GateError {
  return new GateError("ERR_BAD_REQUEST", message, { hint });
}

/** "Did you mean" with near words, or `otherwise` if there are none. */
export function suggest(word: string, known: Iterable<string>, otherwise: string): string {
  const [near] = nearest(word, known, 1);
  return near === undefined ? otherwise : `Did you mean "${near}"?`;
}
